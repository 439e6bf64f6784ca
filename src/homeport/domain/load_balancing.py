"""ELBv2 records: load balancers, listeners, rules, target groups, targets.

Desired facts (what was asked for) and observed facts (what Envoy acknowledged, what a health
check saw) are kept in different records or fields with one writer each.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .cluster import Tag

TargetState = Literal["initial", "healthy", "unhealthy", "unused", "draining", "unavailable"]


class LoadBalancer(msgspec.Struct, frozen=True):
    """An application load balancer. ``state`` is observed: the traffic part sets ``active``
    when Envoy serves it and ``failed``/``active_impaired`` with a reason when it can't."""

    arn: str
    name: str
    dns_name: str
    created_at: float
    type: str = "application"
    scheme: str = "internet-facing"
    vpc_id: str = ""
    subnets: tuple[tuple[str, str], ...] = ()  # (subnet id, availability zone)
    security_groups: tuple[str, ...] = ()
    ip_address_type: str = "ipv4"
    canonical_hosted_zone_id: str = "Z35SXDOTRQ7X7K"
    state: Literal["provisioning", "active", "active_impaired", "failed"] = "provisioning"
    state_reason: str = ""
    attributes: dict[str, str] = {}
    tags: tuple[Tag, ...] = ()


class WeightedTargetGroup(msgspec.Struct, frozen=True):
    """A target group of a forward action with its weight (0–999)."""

    target_group_arn: str
    weight: int = 1


class Action(msgspec.Struct, frozen=True):
    """A forward, redirect or fixed-response action; only the matching fields are set."""

    type: Literal["forward", "redirect", "fixed-response"]
    target_groups: tuple[WeightedTargetGroup, ...] = ()
    stickiness_seconds: int | None = None
    # redirect
    status_code: str = ""
    protocol: str = ""
    host: str = ""
    port: str = ""
    path: str = ""
    query: str = ""
    # fixed-response (status_code is shared)
    content_type: str = ""
    message_body: str = ""


class Condition(msgspec.Struct, frozen=True):
    """A rule condition: ``field`` as in ELBv2; query-string values are ``key=value`` pairs."""

    field: str
    values: tuple[str, ...] = ()
    http_header_name: str = ""
    query_pairs: tuple[tuple[str, str], ...] = ()  # (key or "", value)


class Listener(msgspec.Struct, frozen=True):
    """A listener on a real port. ``default_actions`` is its default rule."""

    arn: str
    load_balancer_arn: str
    port: int
    protocol: str
    default_actions: tuple[Action, ...]
    created_at: float
    attributes: dict[str, str] = {}
    tags: tuple[Tag, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """A listener rule with a priority (the default rule lives in the listener)."""

    arn: str
    listener_arn: str
    priority: int
    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]
    tags: tuple[Tag, ...] = ()


class TargetGroup(msgspec.Struct, frozen=True):
    """A target group; times are seconds."""

    arn: str
    name: str
    protocol: str
    protocol_version: str
    port: int
    vpc_id: str
    target_type: Literal["instance", "ip"]
    created_at: float
    health_check_enabled: bool = True
    health_check_protocol: str = "HTTP"
    health_check_port: str = "traffic-port"
    health_check_path: str = "/"
    health_check_interval_seconds: int = 30
    health_check_timeout_seconds: int = 5
    healthy_threshold_count: int = 5
    unhealthy_threshold_count: int = 2
    matcher_http_code: str = "200"
    attributes: dict[str, str] = {}
    tags: tuple[Tag, ...] = ()


class Target(msgspec.Struct, frozen=True):
    """A registered target (desired state). ``key`` = target group ARN | id | port.

    ``draining_since`` is set by deregistration; the record is deleted when the
    deregistration delay is over. ``address`` is the IP that traffic goes to.
    """

    target_group_arn: str
    id: str
    port: int
    address: str
    registered_at: float
    availability_zone: str = ""
    draining_since: float | None = None

    @property
    def key(self) -> str:
        """The table key: group, id and port."""
        return target_key(self.target_group_arn, self.id, self.port)


class TargetHealth(msgspec.Struct, frozen=True):
    """What the health checker last saw of a target (observed; one writer: traffic)."""

    key: str
    target_group_arn: str
    state: TargetState
    reason: str = ""
    description: str = ""
    changed_at: float = 0.0


def target_key(target_group_arn: str, target_id: str, port: int) -> str:
    """Key of a Target and its TargetHealth."""
    return f"{target_group_arn}|{target_id}|{port}"
