"""Target groups and their health checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.load_balancing import TargetGroup
from homeport.scheduling.targets import remove_target
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import TARGET_GROUPS, TARGETS, VPCS
from homeport.wire.paging import paginate

from . import resolve
from .errors import (
    DuplicateTargetGroupName,
    InvalidConfigurationRequest,
    ResourceInUse,
    TargetGroupNotFound,
    ValidationError,
)
from .load_balancers import check_name
from .tags import parse_tags

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import (
        CreateTargetGroupInputTypeDef,
        DeleteTargetGroupInputTypeDef,
        DescribeTargetGroupsInputTypeDef,
        ModifyTargetGroupInputTypeDef,
    )

MAX_PAGE = 400
_MATCHER = re.compile(r"[0-9]{3}(-[0-9]{3})?(,[0-9]{3}(-[0-9]{3})?)*")


def create_target_group(call: Call, request: CreateTargetGroupInputTypeDef) -> Response:
    """Creates a target group; the same request again is the same answer."""
    name = request["Name"]
    check_name(name, "Target group")
    _check_kind(request)
    vpc_id, port = request.get("VpcId") or "", request.get("Port") or 0
    if vpc_id not in {vpc.vpc_id for vpc in call.tx.all(VPCS)}:
        text = f"The VPC ID '{vpc_id[:128]}' is not found" if vpc_id else "A VPC ID must be given"
        raise ValidationError(f"{text}: VpcId")
    if not port:
        raise ValidationError("A port must be specified: Port")
    wanted = with_health_check(
        TargetGroup(
            arn=call.arns.elbv2(f"targetgroup/{name}/{call.ids.hex16()}"),
            name=name,
            protocol="HTTP",
            protocol_version="HTTP1",
            port=port,
            vpc_id=vpc_id,
            target_type="ip" if request.get("TargetType") == "ip" else "instance",
            created_at=call.now,
            tags=parse_tags(request.get("Tags") or ()),
        ),
        request,
    )
    existing = next(iter(call.tx.find(TARGET_GROUPS, "name", name)), None)
    if existing is None:
        existing = call.tx.put(TARGET_GROUPS, wanted)
    elif _asked(existing) != _asked(wanted):
        raise DuplicateTargetGroupName
    return {"TargetGroups": [view(call, existing)]}


def _check_kind(request: CreateTargetGroupInputTypeDef) -> None:
    protocol = request.get("Protocol")
    if request.get("TargetType") in ("lambda", "alb"):
        raise InvalidConfigurationRequest(
            f"Homeport has targets of type instance and ip: TargetType "
            f"'{request.get('TargetType')}' is not supported yet"
        )
    if not protocol:
        raise ValidationError("A protocol must be specified: Protocol")
    if protocol != "HTTP":
        raise InvalidConfigurationRequest(
            f"Homeport sends to targets over HTTP only: Protocol '{protocol}' is not supported yet"
        )
    version = request.get("ProtocolVersion") or "HTTP1"
    if version != "HTTP1":
        raise InvalidConfigurationRequest(
            f"Homeport sends to targets over HTTP/1.1 only: ProtocolVersion '{version}' is not "
            "supported yet"
        )


def _asked(of: TargetGroup) -> TargetGroup:
    return msgspec.structs.replace(of, arn="", created_at=0.0, attributes={})


def with_health_check(group: TargetGroup, request: Mapping[str, Any]) -> TargetGroup:
    """The group with the health check settings of a request, checked; the others stay."""
    names = {
        "HealthCheckEnabled": "health_check_enabled",
        "HealthCheckProtocol": "health_check_protocol",
        "HealthCheckPort": "health_check_port",
        "HealthCheckPath": "health_check_path",
        "HealthCheckIntervalSeconds": "health_check_interval_seconds",
        "HealthCheckTimeoutSeconds": "health_check_timeout_seconds",
        "HealthyThresholdCount": "healthy_threshold_count",
        "UnhealthyThresholdCount": "unhealthy_threshold_count",
    }
    changes = {names[k]: request[k] for k in names if request.get(k) is not None}
    matcher = request.get("Matcher") or {}
    if matcher.get("HttpCode"):
        changes["matcher_http_code"] = matcher["HttpCode"]
    if matcher.get("GrpcCode"):
        raise InvalidConfigurationRequest("Matcher.GrpcCode needs a gRPC target group")
    group = msgspec.structs.replace(group, **changes)
    check_health_check(group)
    return group


def check_health_check(group: TargetGroup) -> None:
    """Raise on settings that ELBv2 refuses."""
    interval, timeout = group.health_check_interval_seconds, group.health_check_timeout_seconds
    if group.health_check_protocol != "HTTP":
        raise InvalidConfigurationRequest(
            f"Homeport checks targets over HTTP only: HealthCheckProtocol "
            f"'{group.health_check_protocol}' is not supported yet"
        )
    if not group.health_check_enabled:
        raise InvalidConfigurationRequest(
            "Health checks must be enabled for the target type 'instance' or 'ip'"
        )
    port = group.health_check_port
    if port != "traffic-port" and not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise ValidationError(
            f"Health check port '{port[:32]}' must be either 'traffic-port' or in the range 1-65535"
        )
    if not group.health_check_path.startswith("/") or len(group.health_check_path) > 1024:
        raise ValidationError(
            "Health check path must begin with a '/' character and have at most 1024 characters"
        )
    if not 5 <= interval <= 300:
        raise ValidationError(
            f"Health check interval '{interval}' must be between 5 and 300 seconds"
        )
    if not 2 <= timeout <= 120:
        raise ValidationError(f"Health check timeout '{timeout}' must be between 2 and 120 seconds")
    if timeout >= interval:
        raise ValidationError(
            f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'"
        )
    for what, count in (
        ("Healthy", group.healthy_threshold_count),
        ("Unhealthy", group.unhealthy_threshold_count),
    ):
        if not 2 <= count <= 10:
            raise ValidationError(f"{what} threshold count '{count}' must be between 2 and 10")
    _check_matcher(group.matcher_http_code)


def _check_matcher(codes: str) -> None:
    numbers = [int(n) for n in re.findall(r"[0-9]{3}", codes)]
    if not _MATCHER.fullmatch(codes) or not all(200 <= n <= 499 for n in numbers):
        raise ValidationError(
            f"Health check matcher HTTP code '{codes[:64]}' must be within '200-499' inclusive"
        )


def describe_target_groups(call: Call, request: DescribeTargetGroupsInputTypeDef) -> Response:
    """By load balancer, ARN or name, or all."""
    of = request.get("LoadBalancerArn")
    arns, names = request.get("TargetGroupArns") or (), request.get("Names") or ()
    if sum(map(bool, (of, arns, names))) > 1:
        raise ValidationError(
            "Target group names, target group ARNs, and a load balancer ARN cannot be specified "
            "at the same time"
        )
    size = request.get("PageSize") or MAX_PAGE
    page, marker = paginate(
        _chosen(call, of, arns, names),
        lambda group: group.arn,
        size,
        request.get("Marker"),
        "ValidationError",
    )
    return {"TargetGroups": [view(call, group) for group in page], "NextMarker": marker}


def _chosen(call: Call, of: str | None, arns: Any, names: Any) -> list[TargetGroup]:
    if of:
        load_balancer = resolve.load_balancer(call, of)
        return [
            group
            for group in call.tx.all(TARGET_GROUPS)
            if load_balancer.arn in resolve.load_balancer_arns_of(call.tx, group.arn)
        ]
    found = [resolve.target_group(call, arn) for arn in arns]
    for name in names:
        named = call.tx.find(TARGET_GROUPS, "name", name)
        if not named:
            raise TargetGroupNotFound
        found.extend(named)
    return found if arns or names else call.tx.all(TARGET_GROUPS)


def modify_target_group(call: Call, request: ModifyTargetGroupInputTypeDef) -> Response:
    """Changes the health check."""
    group = resolve.target_group(call, request["TargetGroupArn"])
    group = call.tx.put(TARGET_GROUPS, with_health_check(group, request))
    return {"TargetGroups": [view(call, group)]}


def delete_target_group(call: Call, request: DeleteTargetGroupInputTypeDef) -> Response:
    """Deletes a group that nothing forwards to; one that is gone is fine."""
    arn = request["TargetGroupArn"]
    group = call.tx.get(TARGET_GROUPS, arn)
    if group is None:
        return {}
    if resolve.load_balancer_arns_of(call.tx, arn):
        raise ResourceInUse(f"Target group '{arn}' is currently in use by a listener or a rule")
    for target in call.tx.find(TARGETS, "target_group", arn):
        remove_target(call.tx, target.key)
    call.tx.delete(TARGET_GROUPS, arn)
    return {}


def view(call: Call, group: TargetGroup) -> dict[str, object]:
    """A target group as ELBv2 returns it."""
    return {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        "Protocol": group.protocol,
        "ProtocolVersion": group.protocol_version,
        "Port": group.port,
        "VpcId": group.vpc_id,
        "HealthCheckProtocol": group.health_check_protocol,
        "HealthCheckPort": group.health_check_port,
        "HealthCheckEnabled": group.health_check_enabled,
        "HealthCheckIntervalSeconds": group.health_check_interval_seconds,
        "HealthCheckTimeoutSeconds": group.health_check_timeout_seconds,
        "HealthyThresholdCount": group.healthy_threshold_count,
        "UnhealthyThresholdCount": group.unhealthy_threshold_count,
        "HealthCheckPath": group.health_check_path,
        "Matcher": {"HttpCode": group.matcher_http_code},
        "LoadBalancerArns": resolve.load_balancer_arns_of(call.tx, group.arn),
        "TargetType": group.target_type,
        "IpAddressType": "ipv4",
    }


OPERATIONS: dict[str, Handler] = {
    "CreateTargetGroup": create_target_group,
    "DescribeTargetGroups": describe_target_groups,
    "ModifyTargetGroup": modify_target_group,
    "DeleteTargetGroup": delete_target_group,
}
