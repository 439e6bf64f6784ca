"""Load-balancer records for tests, as the API would have written them."""

from __future__ import annotations

from homeport.domain.load_balancing import (
    Action,
    Condition,
    Listener,
    LoadBalancer,
    Rule,
    Target,
    TargetGroup,
    WeightedTargetGroup,
)

PREFIX = "arn:aws:elasticloadbalancing:us-east-1:123456789012"


def load_balancer(name: str = "web", **attributes: str) -> LoadBalancer:
    return LoadBalancer(
        arn=f"{PREFIX}:loadbalancer/app/{name}/50dc6c495c0c9188",
        name=name,
        dns_name=f"{name}-1234567890.us-east-1.elb.localhost",
        created_at=1000.0,
        attributes={key.replace("__", "."): value for key, value in attributes.items()},
    )


def group(name: str = "blue", attributes: dict[str, str] | None = None, **fields) -> TargetGroup:
    return TargetGroup(
        arn=f"{PREFIX}:targetgroup/{name}/73e2d6bc24d8a067",
        name=name,
        protocol=fields.pop("protocol", "HTTP"),
        protocol_version=fields.pop("protocol_version", "HTTP1"),
        port=80,
        vpc_id="vpc-1",
        target_type="ip",
        created_at=1000.0,
        attributes=attributes or {},
        **fields,
    )


def target(of: TargetGroup, address: str, port: int = 32768, **fields) -> Target:
    return Target(of.arn, address, port, address, registered_at=1000.0, **fields)


def forward(*weighted: tuple[TargetGroup, int], stickiness: int | None = None) -> Action:
    return Action(
        "forward",
        tuple(WeightedTargetGroup(g.arn, weight) for g, weight in weighted),
        stickiness_seconds=stickiness,
    )


def listener(of: LoadBalancer, *actions: Action, port: int = 8080, **fields) -> Listener:
    return Listener(
        arn=f"{PREFIX}:listener/app/{of.name}/50dc6c495c0c9188/f2f7dc8efc5{port:05x}",
        load_balancer_arn=of.arn,
        port=port,
        protocol=fields.pop("protocol", "HTTP"),
        default_actions=actions,
        created_at=1000.0,
    )


def rule(of: Listener, priority: int, conditions: list[Condition], action: Action) -> Rule:
    arn = of.arn.replace(":listener/", ":listener-rule/") + f"/{priority:016x}"
    return Rule(arn, of.arn, priority, tuple(conditions), (action,))


def fixed(status: str, body: str = "", content_type: str = "text/plain") -> Action:
    return Action(
        "fixed-response", status_code=status, message_body=body, content_type=content_type
    )
