"""Attributes of load balancers, listeners and target groups: keys, defaults, legal values.

A record keeps only what was set; what is described has the defaults filled in. Source: the ALB
user guide's attribute tables. Attributes marked ``stored only`` are answered and have no effect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from homeport.services.call import Call, Handler, Response
from homeport.store.schema import LISTENERS, LOAD_BALANCERS, TARGET_GROUPS

from . import resolve
from .errors import InvalidConfigurationRequest, ValidationError

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import (
        DescribeListenerAttributesInputTypeDef,
        DescribeLoadBalancerAttributesInputTypeDef,
        DescribeTargetGroupAttributesInputTypeDef,
        ModifyListenerAttributesInputTypeDef,
        ModifyLoadBalancerAttributesInputTypeDef,
        ModifyTargetGroupAttributesInputTypeDef,
    )

Check = Callable[[str], bool]
Attributes = Mapping[str, tuple[str, Check]]
"""Key → default value, and whether a value is legal."""


def _one_of(*values: str) -> Check:
    return lambda value: value in values


def _integer(least: int, most: int, *also: str) -> Check:
    def check(value: str) -> bool:
        number = re.fullmatch(r"[0-9]{1,7}", value)
        return value in also or (number is not None and least <= int(value) <= most)

    return check


def _any(value: str) -> bool:
    return len(value) <= 1024


_BOOLEAN = _one_of("true", "false")

LOAD_BALANCER_ATTRIBUTES: Attributes = {
    "access_logs.s3.enabled": ("false", _one_of("false")),  # refused: there is no S3 here
    "access_logs.s3.bucket": ("", _any),
    "access_logs.s3.prefix": ("", _any),
    "client_keep_alive.seconds": ("3600", _integer(60, 604800)),
    "connection_logs.s3.enabled": ("false", _one_of("false")),
    "connection_logs.s3.bucket": ("", _any),
    "connection_logs.s3.prefix": ("", _any),
    "deletion_protection.enabled": ("false", _BOOLEAN),
    "idle_timeout.timeout_seconds": ("60", _integer(1, 4000)),
    "ipv6.deny_all_igw_traffic": ("false", _BOOLEAN),  # stored only
    "load_balancing.cross_zone.enabled": ("true", _one_of("true")),
    "routing.http.desync_mitigation_mode": (  # stored only
        "defensive",
        _one_of("monitor", "defensive", "strictest"),
    ),
    "routing.http.drop_invalid_header_fields.enabled": ("false", _BOOLEAN),  # stored only
    "routing.http.preserve_host_header.enabled": ("false", _BOOLEAN),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": ("false", _BOOLEAN),
    "routing.http.xff_client_port.enabled": ("false", _BOOLEAN),
    "routing.http.xff_header_processing.mode": ("append", _one_of("append", "preserve", "remove")),
    "routing.http2.enabled": ("true", _BOOLEAN),  # stored only: listeners speak HTTP/1.1
    "waf.fail_open.enabled": ("false", _BOOLEAN),  # stored only
    "zonal_shift.config.enabled": ("false", _BOOLEAN),  # stored only
}

LISTENER_ATTRIBUTES: Attributes = {
    "routing.http.response.server.enabled": ("true", _one_of("true")),
}

TARGET_GROUP_ATTRIBUTES: Attributes = {
    "deregistration_delay.timeout_seconds": ("300", _integer(0, 3600)),
    "load_balancing.algorithm.anomaly_mitigation": ("off", _one_of("off")),
    "load_balancing.algorithm.type": (
        "round_robin",
        _one_of("round_robin", "least_outstanding_requests", "weighted_random"),
    ),
    "load_balancing.cross_zone.enabled": (  # stored only: one node, all targets
        "use_load_balancer_configuration",
        _one_of("true", "false", "use_load_balancer_configuration"),
    ),
    "slow_start.duration_seconds": ("0", _integer(30, 900, "0")),
    "stickiness.app_cookie.cookie_name": ("", _any),
    "stickiness.app_cookie.duration_seconds": ("86400", _integer(1, 604800)),
    "stickiness.enabled": ("false", _BOOLEAN),
    "stickiness.lb_cookie.duration_seconds": ("86400", _integer(1, 604800)),
    "stickiness.type": ("lb_cookie", _one_of("lb_cookie")),
    "target_group_health.dns_failover.minimum_healthy_targets.count": (  # stored only
        "1",
        _integer(1, 1000, "off"),
    ),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": (  # stored only
        "off",
        _integer(1, 100, "off"),
    ),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": (
        "1",
        _one_of("1"),
    ),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": (
        "off",
        _one_of("off"),
    ),
}


def changed(
    kind: str,
    known: Attributes,
    before: Mapping[str, str],
    requested: Iterable[Mapping[str, object]],
) -> dict[str, str]:
    """The attributes after a request; raises on unknown keys and illegal values."""
    after = dict(before)
    for attribute in requested:
        key, value = str(attribute.get("Key", "")), str(attribute.get("Value", ""))
        if key not in known:
            raise ValidationError(f"{kind} attribute key '{key}' is not recognized")
        _default, legal = known[key]
        if not legal(value):
            raise InvalidConfigurationRequest(
                f"{kind} attribute value '{value[:128]}' is not valid for the key '{key}'"
            )
        after[key] = value
    return after


def view(known: Attributes, stored: Mapping[str, str]) -> list[dict[str, str]]:
    """All attributes, defaults filled in."""
    return [{"Key": key, "Value": stored.get(key, default)} for key, (default, _) in known.items()]


def describe_load_balancer_attributes(
    call: Call, request: DescribeLoadBalancerAttributesInputTypeDef
) -> Response:
    """All attributes of a load balancer."""
    found = resolve.load_balancer(call, request["LoadBalancerArn"])
    return {"Attributes": view(LOAD_BALANCER_ATTRIBUTES, found.attributes)}


def modify_load_balancer_attributes(
    call: Call, request: ModifyLoadBalancerAttributesInputTypeDef
) -> Response:
    """Sets attributes; all or none."""
    found = resolve.load_balancer(call, request["LoadBalancerArn"])
    after = changed(
        "Load balancer", LOAD_BALANCER_ATTRIBUTES, found.attributes, request["Attributes"]
    )
    call.tx.put(LOAD_BALANCERS, msgspec.structs.replace(found, attributes=after))
    return {"Attributes": view(LOAD_BALANCER_ATTRIBUTES, after)}


def describe_listener_attributes(
    call: Call, request: DescribeListenerAttributesInputTypeDef
) -> Response:
    """All attributes of a listener."""
    found = resolve.listener(call, request["ListenerArn"])
    return {"Attributes": view(LISTENER_ATTRIBUTES, found.attributes)}


def modify_listener_attributes(
    call: Call, request: ModifyListenerAttributesInputTypeDef
) -> Response:
    """Sets attributes; all or none."""
    found = resolve.listener(call, request["ListenerArn"])
    after = changed("Listener", LISTENER_ATTRIBUTES, found.attributes, request["Attributes"])
    call.tx.put(LISTENERS, msgspec.structs.replace(found, attributes=after))
    return {"Attributes": view(LISTENER_ATTRIBUTES, after)}


def describe_target_group_attributes(
    call: Call, request: DescribeTargetGroupAttributesInputTypeDef
) -> Response:
    """All attributes of a target group."""
    found = resolve.target_group(call, request["TargetGroupArn"])
    return {"Attributes": view(TARGET_GROUP_ATTRIBUTES, found.attributes)}


def modify_target_group_attributes(
    call: Call, request: ModifyTargetGroupAttributesInputTypeDef
) -> Response:
    """Sets attributes; all or none."""
    found = resolve.target_group(call, request["TargetGroupArn"])
    after = changed(
        "Target group", TARGET_GROUP_ATTRIBUTES, found.attributes, request["Attributes"]
    )
    slow = after.get("slow_start.duration_seconds", "0") != "0"
    if slow and after.get("load_balancing.algorithm.type", "round_robin") != "round_robin":
        raise InvalidConfigurationRequest(
            "Slow start mode goes only with the round_robin algorithm: slow_start.duration_seconds"
        )
    call.tx.put(TARGET_GROUPS, msgspec.structs.replace(found, attributes=after))
    return {"Attributes": view(TARGET_GROUP_ATTRIBUTES, after)}


OPERATIONS: dict[str, Handler] = {
    "DescribeLoadBalancerAttributes": describe_load_balancer_attributes,
    "ModifyLoadBalancerAttributes": modify_load_balancer_attributes,
    "DescribeListenerAttributes": describe_listener_attributes,
    "ModifyListenerAttributes": modify_listener_attributes,
    "DescribeTargetGroupAttributes": describe_target_group_attributes,
    "ModifyTargetGroupAttributes": modify_target_group_attributes,
}
