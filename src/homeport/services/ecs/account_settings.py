"""Account settings: what they are, who set them, which value is in force.

``containerInsights`` decides about new clusters. ARNs are always long: the settings about them
are ``enabled`` and stay so, as on AWS since April 1, 2021 ("can no longer opt out"). All others are
stored and answered only; what they switch on AWS is not there yet. ``guardDutyActivate`` is not
the account's to set. Source: "Access Amazon ECS features with account settings", developer guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from homeport.domain.cluster import AccountSetting
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import ACCOUNT_SETTINGS
from homeport.wire.paging import paginate

from .errors import InvalidParameterException

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        DeleteAccountSettingRequestTypeDef,
        ListAccountSettingsRequestTypeDef,
        PutAccountSettingDefaultRequestTypeDef,
        PutAccountSettingRequestTypeDef,
    )

MAX_PAGE = 10

Check = Callable[[str], bool]


def _one_of(*values: str) -> Check:
    return lambda value: value in values


_SWITCH = _one_of("enabled", "disabled")
_ALWAYS = _one_of("enabled")

# Name → the value when nobody has set one, and whether a value is legal.
SETTINGS: Mapping[str, tuple[str, Check]] = {
    "awsvpcTrunking": ("disabled", _SWITCH),
    "containerInsights": ("disabled", _one_of("enabled", "disabled", "enhanced")),
    "containerInstanceLongArnFormat": ("enabled", _ALWAYS),
    "defaultLogDriverMode": ("non-blocking", _one_of("blocking", "non-blocking")),
    "fargateEventWindows": ("disabled", _SWITCH),
    "fargateFIPSMode": ("disabled", _SWITCH),
    "fargateTaskRetirementWaitPeriod": ("7", _one_of("0", "7", "14")),
    "guardDutyActivate": ("off", _one_of("on", "off")),
    "serviceLongArnFormat": ("enabled", _ALWAYS),
    "tagResourceAuthorization": ("off", _one_of("on", "off")),
    "taskLongArnFormat": ("enabled", _ALWAYS),
}
AWS_MANAGED = frozenset({"guardDutyActivate"})


def put_account_setting(call: Call, request: PutAccountSettingRequestTypeDef) -> Response:
    """Sets a value for the caller, or for the principal named."""
    principal = request.get("principalArn") or call.principal.arn
    _check_principal(call, principal)
    return _put(call, principal, request["name"], request["value"])


def put_account_setting_default(
    call: Call, request: PutAccountSettingDefaultRequestTypeDef
) -> Response:
    """Sets the value for every principal that has none of its own."""
    return _put(call, call.arns.root(), request["name"], request["value"])


def _put(call: Call, principal: str, name: str, value: str) -> Response:
    legal = _changeable(name)
    if legal is _ALWAYS and value == "disabled":
        raise InvalidParameterException(f"You can no longer opt out of {name}: value.")
    if not legal(value):
        raise InvalidParameterException(f"Invalid value '{value[:64]}' for setting {name}: value.")
    setting = call.tx.put(ACCOUNT_SETTINGS, AccountSetting(principal, name, value))
    return {"setting": _view(setting)}


def delete_account_setting(call: Call, request: DeleteAccountSettingRequestTypeDef) -> Response:
    """Forgets the value of a principal, if it has one; the answer has what is in force now."""
    principal, name = request.get("principalArn") or call.principal.arn, request["name"]
    _check_principal(call, principal)
    _changeable(name)
    call.tx.delete(ACCOUNT_SETTINGS, ACCOUNT_SETTINGS.key(AccountSetting(principal, name, "")))
    return {"setting": _view(AccountSetting(principal, name, effective(call, principal, name)))}


def list_account_settings(call: Call, request: ListAccountSettingsRequestTypeDef) -> Response:
    """What was set for a principal, or with ``effectiveSettings`` what is in force for it."""
    principal = request.get("principalArn") or call.principal.arn
    _check_principal(call, principal)
    name, value = request.get("name"), request.get("value")
    if name is not None:
        _setting(name)
    elif value is not None:
        raise InvalidParameterException("value needs a name.")
    if request.get("effectiveSettings"):
        settings = [AccountSetting(principal, n, effective(call, principal, n)) for n in SETTINGS]
    else:
        settings = [s for s in call.tx.all(ACCOUNT_SETTINGS) if s.principal_arn == principal]
    settings = [s for s in settings if name in (None, s.name) and value in (None, s.value)]
    max_results = request.get("maxResults") or MAX_PAGE
    if not 1 <= max_results <= MAX_PAGE:
        raise InvalidParameterException(f"maxResults must be between 1 and {MAX_PAGE}.")
    page, token = paginate(settings, lambda s: s.name, max_results, request.get("nextToken"))
    return {"settings": [_view(setting) for setting in page], "nextToken": token}


def effective(call: Call, principal: str, name: str) -> str:
    """The principal's own value, else the account's default, else AWS's."""
    for owner in (principal, call.arns.root()):
        setting = call.tx.get(ACCOUNT_SETTINGS, f"{owner}|{name}")
        if setting is not None:
            return setting.value
    return SETTINGS[name][0]


def _setting(name: str) -> tuple[str, Check]:
    if name not in SETTINGS:
        raise InvalidParameterException(
            f"The setting '{name[:64]}' is not known: name must be one of {', '.join(SETTINGS)}."
        )
    return SETTINGS[name]


def _changeable(name: str) -> Check:
    _, legal = _setting(name)
    if name in AWS_MANAGED:
        raise InvalidParameterException(f"Setting {name} is managed by AWS and can not be changed.")
    return legal


def _check_principal(call: Call, principal: str) -> None:
    if not principal.startswith(f"arn:aws:iam::{call.platform.account_id}:"):
        raise InvalidParameterException(
            f"'{principal[:128]}' is not a principal of this account: principalArn."
        )


def _view(setting: AccountSetting) -> dict[str, str]:
    return {
        "name": setting.name,
        "value": setting.value,
        "principalArn": setting.principal_arn,
        "type": "aws_managed" if setting.name in AWS_MANAGED else "user",
    }


OPERATIONS: dict[str, Handler] = {
    "PutAccountSetting": put_account_setting,
    "PutAccountSettingDefault": put_account_setting_default,
    "DeleteAccountSetting": delete_account_setting,
    "ListAccountSettings": list_account_settings,
}
