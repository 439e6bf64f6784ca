"""Actions of listeners and rules: forward, redirect, fixed-response.

Source: "Listener rules for your Application Load Balancer", rule action types.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from homeport.domain.load_balancing import Action, WeightedTargetGroup
from homeport.services.call import Call

from . import resolve
from .errors import (
    IncompatibleProtocols,
    InvalidLoadBalancerAction,
    TargetGroupAssociationLimit,
    TooManyActions,
    ValidationError,
)

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import (
        ActionUnionTypeDef,
        FixedResponseActionConfigTypeDef,
        ForwardActionConfigUnionTypeDef,
        RedirectActionConfigTypeDef,
    )

KINDS = ("forward", "redirect", "fixed-response")
CONTENT_TYPES = (
    "text/plain",
    "text/css",
    "text/html",
    "application/javascript",
    "application/json",
)
MAX_TARGET_GROUPS = 5
MAX_STICKINESS_SECONDS = 604800
MAX_BODY = 1024
REDIRECT_PARTS = {
    "Protocol": "#{protocol}",
    "Host": "#{host}",
    "Port": "#{port}",
    "Path": "/#{path}",
    "Query": "#{query}",
}


def parse_actions(
    call: Call, load_balancer_arn: str, actions: Sequence[ActionUnionTypeDef]
) -> tuple[Action, ...]:
    """The actions of a request for a listener or rule of the load balancer, checked."""
    if not actions:
        raise ValidationError("You must specify at least one action: Actions")
    if len(actions) > 1:
        raise TooManyActions(
            "A rule has exactly one forward, redirect or fixed-response action: Actions"
        )
    return (_parse(call, load_balancer_arn, actions[0]),)


def _parse(call: Call, load_balancer_arn: str, action: ActionUnionTypeDef) -> Action:
    kind = action["Type"]
    if kind not in KINDS:
        raise ValidationError(
            f"1 validation error detected: Value '{kind}' at 'actions.1.member.type' failed to "
            f"satisfy constraint: Member must satisfy enum value set: [{', '.join(KINDS)}]"
        )
    if kind == "forward":
        return _forward(call, load_balancer_arn, action)
    if kind == "redirect":
        return _redirect(action.get("RedirectConfig"))
    return _fixed_response(action.get("FixedResponseConfig"))


def _forward(call: Call, load_balancer_arn: str, action: ActionUnionTypeDef) -> Action:
    config = action.get("ForwardConfig") or {}
    arn = action.get("TargetGroupArn")
    groups = [
        WeightedTargetGroup(g.get("TargetGroupArn") or "", g.get("Weight", 1))
        for g in config.get("TargetGroups") or ()
    ]
    if arn and groups and [g.target_group_arn for g in groups] != [arn]:
        raise InvalidLoadBalancerAction(
            "You cannot specify both a target group ARN and a forward config with other target "
            "groups: TargetGroupArn"
        )
    groups = groups or ([WeightedTargetGroup(arn)] if arn else [])
    if not groups:
        raise ValidationError("A target group must be specified: Actions.TargetGroupArn")
    _check_groups(call, load_balancer_arn, groups)
    seconds = _stickiness(config)
    return Action(type="forward", target_groups=tuple(groups), stickiness_seconds=seconds)


def _check_groups(
    call: Call, load_balancer_arn: str, groups: Sequence[WeightedTargetGroup]
) -> None:
    if len(groups) > MAX_TARGET_GROUPS:
        raise TooManyActions(
            f"An action forwards to at most {MAX_TARGET_GROUPS} target groups: TargetGroups"
        )
    if len({g.target_group_arn for g in groups}) < len(groups):
        raise InvalidLoadBalancerAction("A target group was named twice: TargetGroups")
    for weighted in groups:
        if not 0 <= weighted.weight <= 999:
            raise ValidationError(f"Weight '{weighted.weight}' must be between 0 and 999")
        group = resolve.target_group(call, weighted.target_group_arn)
        if group.protocol not in ("HTTP", "HTTPS"):
            raise IncompatibleProtocols(
                f"Target group '{group.arn}' has protocol {group.protocol}, which does not go "
                "with an application load balancer"
            )
        others = set(resolve.load_balancer_arns_of(call.tx, group.arn)) - {load_balancer_arn}
        if others:
            raise TargetGroupAssociationLimit(
                f"The following target groups cannot be associated with more than one load "
                f"balancer: {group.arn}"
            )


def _stickiness(config: ForwardActionConfigUnionTypeDef) -> int | None:
    stickiness = config.get("TargetGroupStickinessConfig") or {}
    if not stickiness.get("Enabled"):
        return None
    seconds = stickiness.get("DurationSeconds") or 0
    if not 1 <= seconds <= MAX_STICKINESS_SECONDS:
        raise ValidationError(
            f"DurationSeconds '{seconds}' must be between 1 and {MAX_STICKINESS_SECONDS} when "
            "target group stickiness is enabled"
        )
    return seconds


def _redirect(config: RedirectActionConfigTypeDef | None) -> Action:
    if not config or config.get("StatusCode") not in ("HTTP_301", "HTTP_302"):
        raise InvalidLoadBalancerAction(
            "A redirect needs a StatusCode of HTTP_301 or HTTP_302: RedirectConfig.StatusCode"
        )
    parts = {name: str(config.get(name) or default) for name, default in REDIRECT_PARTS.items()}
    if parts == REDIRECT_PARTS:
        raise InvalidLoadBalancerAction(
            "You must modify at least one of the following components to avoid a redirect loop: "
            "protocol, port, hostname, or path."
        )
    if parts["Protocol"] not in ("HTTP", "HTTPS", "#{protocol}"):
        raise InvalidLoadBalancerAction(
            f"Protocol '{parts['Protocol'][:32]}' must be HTTP, HTTPS or #{{protocol}}"
        )
    port = parts["Port"]
    if port != "#{port}" and not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise InvalidLoadBalancerAction(f"Port '{port[:32]}' must be 1-65535 or #{{port}}")
    if not parts["Path"].startswith("/"):
        raise InvalidLoadBalancerAction("The path must begin with '/': RedirectConfig.Path")
    return Action(
        type="redirect",
        status_code=config["StatusCode"],
        protocol=parts["Protocol"],
        host=parts["Host"],
        port=port,
        path=parts["Path"],
        query=parts["Query"],
    )


def _fixed_response(config: FixedResponseActionConfigTypeDef | None) -> Action:
    code = config["StatusCode"] if config else ""
    if config is None or not re.fullmatch(r"[245][0-9]{2}", code):
        raise InvalidLoadBalancerAction(
            f"StatusCode '{code[:16]}' of a fixed response must be 2XX, 4XX or 5XX"
        )
    content_type = config.get("ContentType") or "text/plain"
    if content_type not in CONTENT_TYPES:
        raise InvalidLoadBalancerAction(
            f"The ContentType must be one of:'{', '.join(CONTENT_TYPES)}'"
        )
    body = config.get("MessageBody") or ""
    if len(body.encode()) > MAX_BODY:
        raise InvalidLoadBalancerAction(f"MessageBody has at most {MAX_BODY} bytes")
    return Action(
        type="fixed-response", status_code=code, content_type=content_type, message_body=body
    )


def view(action: Action) -> dict[str, object]:
    """An action as ELBv2 returns it."""
    match action.type:
        case "forward":
            return _forward_view(action)
        case "redirect":
            config = {
                "Protocol": action.protocol,
                "Port": action.port,
                "Host": action.host,
                "Path": action.path,
                "Query": action.query,
                "StatusCode": action.status_code,
            }
            return {"Type": "redirect", "Order": 1, "RedirectConfig": config}
        case "fixed-response":
            config = {
                "StatusCode": action.status_code,
                "ContentType": action.content_type,
                "MessageBody": action.message_body,
            }
            return {"Type": "fixed-response", "Order": 1, "FixedResponseConfig": config}


def _forward_view(action: Action) -> dict[str, object]:
    stickiness: dict[str, object] = {"Enabled": action.stickiness_seconds is not None}
    if action.stickiness_seconds is not None:
        stickiness["DurationSeconds"] = action.stickiness_seconds
    forward: dict[str, object] = {
        "Type": "forward",
        "Order": 1,
        "ForwardConfig": {
            "TargetGroups": [
                {"TargetGroupArn": g.target_group_arn, "Weight": g.weight}
                for g in action.target_groups
            ],
            "TargetGroupStickinessConfig": stickiness,
        },
    }
    if len(action.target_groups) == 1:
        forward["TargetGroupArn"] = action.target_groups[0].target_group_arn
    return forward
