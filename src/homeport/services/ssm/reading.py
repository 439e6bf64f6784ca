"""GetParameter, GetParameters, GetParametersByPath, GetParameterHistory."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from homeport.domain.parameter import ParameterVersion
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import PARAMETERS
from homeport.wire.paging import paginate

from .errors import ParameterNotFound, ParameterVersionNotFound, ValidationException
from .filters import matching
from .names import find_parameter, find_version, versions, wanted

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import (
        GetParameterHistoryRequestTypeDef,
        GetParameterRequestTypeDef,
        GetParametersByPathRequestTypeDef,
        GetParametersRequestTypeDef,
    )

PATH_PAGE = 10
HISTORY_PAGE = 50
KEY_ID = "alias/aws/ssm"
_PATH = re.compile(r"/([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*/?)?")
_BAD_PATH = (
    "The parameter doesn't meet the parameter name requirements. The parameter name must begin "
    'with a forward slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It '
    "must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ "
    "(underscore). Special characters are not allowed. All sub-paths, if specified, must use the "
    'forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.'
)


def get_parameter(call: Call, request: GetParameterRequestTypeDef) -> Response:
    """One, by name or ARN, with ``:version`` or ``:label``."""
    wish = wanted(call, request["Name"])
    version = find_version(call, wish)
    return {"Parameter": _view(call, version, wish.selector, request.get("WithDecryption", False))}


def get_parameters(call: Call, request: GetParametersRequestTypeDef) -> Response:
    """Up to ten; what is not there is listed, not an error."""
    found, invalid = [], []
    for given in dict.fromkeys(request["Names"]):
        wish = wanted(call, given)
        try:
            version = find_version(call, wish)
        except (ParameterNotFound, ParameterVersionNotFound):
            invalid.append(given)
            continue
        found.append(_view(call, version, wish.selector, request.get("WithDecryption", False)))
    return {"Parameters": found, "InvalidParameters": invalid}


def get_parameters_by_path(call: Call, request: GetParametersByPathRequestTypeDef) -> Response:
    """Those below a path: one level, or all with ``Recursive``."""
    path = request["Path"]
    if not _PATH.fullmatch(path):
        raise ValidationException(_BAD_PATH)
    prefix = path if path.endswith("/") else f"{path}/"
    recursive = request.get("Recursive", False)
    below = [
        p
        for p in call.tx.all(PARAMETERS)
        if (p.name.startswith(prefix) or (prefix == "/" and "/" not in p.name))
        and (recursive or "/" not in p.name.removeprefix(prefix))
    ]
    found = matching(call, below, request.get("ParameterFilters") or (), by_path=True)
    page, token = paginate(
        found,
        lambda p: p.name,
        request.get("MaxResults", PATH_PAGE),
        request.get("NextToken"),
        "InvalidNextToken",
    )
    decrypt = request.get("WithDecryption", False)
    shown = [_view(call, find_version(call, wanted(call, p.name)), "", decrypt) for p in page]
    return {"Parameters": shown, "NextToken": token}


def get_parameter_history(call: Call, request: GetParameterHistoryRequestTypeDef) -> Response:
    """Every version that is kept, the oldest first."""
    parameter = find_parameter(call, wanted(call, request["Name"]).name)
    page, token = paginate(
        versions(call, parameter.name),
        lambda v: f"{v.version:012d}",
        request.get("MaxResults", HISTORY_PAGE),
        request.get("NextToken"),
        "InvalidNextToken",
    )
    decrypt = request.get("WithDecryption", False)
    return {"Parameters": [_history(call, v, decrypt) for v in page], "NextToken": token}


def _view(call: Call, version: ParameterVersion, selector: str, decrypt: bool) -> Response:
    view: dict[str, object] = {
        "Name": version.name,
        "Type": version.type,
        "Value": _value(call, version, decrypt),
        "Version": version.version,
        "LastModifiedDate": version.modified_at,
        "ARN": call.arns.parameter(version.name),
        "DataType": version.data_type,
    }
    if selector:
        view["Selector"] = selector
    return view


def _value(call: Call, version: ParameterVersion, decrypt: bool) -> str:
    """A SecureString that is not to be decrypted shows what is stored, as on AWS."""
    if version.type == "SecureString" and not decrypt:
        return base64.b64encode(version.value.data).decode()
    return call.vault.open_text(version.value, version.owner)


def _history(call: Call, version: ParameterVersion, decrypt: bool) -> Response:
    return {**described(version), "Value": _value(call, version, decrypt), "Labels": version.labels}


def described(version: ParameterVersion) -> dict[str, object]:
    """What is told of a version besides its value."""
    view: dict[str, object] = {
        "Name": version.name,
        "Type": version.type,
        "LastModifiedDate": version.modified_at,
        "LastModifiedUser": version.modified_by,
        "Version": version.version,
        "Tier": version.tier,
        "Policies": [],
        "DataType": version.data_type,
    }
    if version.type == "SecureString":
        view["KeyId"] = KEY_ID
    if version.description:
        view["Description"] = version.description
    if version.allowed_pattern:
        view["AllowedPattern"] = version.allowed_pattern
    return view


OPERATIONS: dict[str, Handler] = {
    "GetParameter": get_parameter,
    "GetParameters": get_parameters,
    "GetParametersByPath": get_parameters_by_path,
    "GetParameterHistory": get_parameter_history,
}
