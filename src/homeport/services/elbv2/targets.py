"""Registering targets and seeing their health. Health itself is observed by the traffic part."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from homeport.domain.load_balancing import Target, TargetGroup, TargetHealth, target_key
from homeport.scheduling.targets import deregister_target, register_target
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import CONTAINER_INSTANCES, TARGET_HEALTH, TARGETS

from . import resolve
from .errors import InvalidTarget, TooManyTargets, ValidationError

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import (
        DeregisterTargetsInputTypeDef,
        DescribeTargetHealthInputTypeDef,
        RegisterTargetsInputTypeDef,
        TargetDescriptionTypeDef,
    )

MAX_TARGETS = 1000
ALLOWED = [
    ipaddress.ip_network(cidr)
    for cidr in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
]
NOT_IN_USE = "Target group is not configured to receive traffic from the load balancer"


def register_targets(call: Call, request: RegisterTargetsInputTypeDef) -> Response:
    """Registers container instances by EC2 id, or addresses; again is fine."""
    group = resolve.target_group(call, request["TargetGroupArn"])
    for description in request["Targets"]:
        _register(call, group, description)
    if len(call.tx.find(TARGETS, "target_group", group.arn)) > MAX_TARGETS:
        raise TooManyTargets(f"A target group has at most {MAX_TARGETS} targets: Targets")
    return {}


def _register(call: Call, group: TargetGroup, description: TargetDescriptionTypeDef) -> None:
    target_id, port = description["Id"], description.get("Port") or group.port
    zone = description.get("AvailabilityZone") or ""
    if group.target_type == "ip":
        address = _address(target_id)
    else:
        address, zone = _instance(call, target_id)
    register_target(call.tx, group, target_id, port, address, zone, call.now)


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValidationError(f"The IP address '{text[:64]}' is not a valid address: Id") from None
    if address.version != 4 or not any(address in network for network in ALLOWED):
        raise ValidationError(
            f"The IP address '{text}' is not within a private range (10.0.0.0/8, 100.64.0.0/10, "
            "172.16.0.0/12, 192.168.0.0/16): Id"
        )
    return text


def _instance(call: Call, instance_id: str) -> tuple[str, str]:
    found = call.tx.find(CONTAINER_INSTANCES, "ec2_instance_id", instance_id)
    instance = next((i for i in found if i.status != "INACTIVE"), None)
    if instance is None:
        raise InvalidTarget(
            f"The following targets are not in a running state and cannot be registered: "
            f"'{instance_id[:128]}'"
        )
    return instance.private_ip, instance.availability_zone


def deregister_targets(call: Call, request: DeregisterTargetsInputTypeDef) -> Response:
    """Begins draining; targets that are not registered are fine. Without a port: every port."""
    group = resolve.target_group(call, request["TargetGroupArn"])
    for description in request["Targets"]:
        port = description.get("Port")
        for target in call.tx.find(TARGETS, "target_group", group.arn):
            if target.id == description["Id"] and port in (None, target.port):
                deregister_target(call.tx, group, target.id, target.port, call.now)
    return {}


def describe_target_health(call: Call, request: DescribeTargetHealthInputTypeDef) -> Response:
    """The state of the targets asked for, or of all."""
    group = resolve.target_group(call, request["TargetGroupArn"])
    used = bool(resolve.load_balancer_arns_of(call.tx, group.arn))
    asked = request.get("Targets")
    if not asked:
        targets = sorted(call.tx.find(TARGETS, "target_group", group.arn), key=lambda t: t.key)
        return {"TargetHealthDescriptions": [_view(call, group, t, used) for t in targets]}
    descriptions = []
    for wanted in asked:
        port = wanted.get("Port") or group.port
        target = call.tx.get(TARGETS, target_key(group.arn, wanted["Id"], port))
        descriptions.append(
            _view(call, group, target, used)
            if target
            else _not_registered(group, wanted["Id"], port)
        )
    return {"TargetHealthDescriptions": descriptions}


def _view(call: Call, group: TargetGroup, target: Target, used: bool) -> dict[str, object]:
    health = call.tx.get(TARGET_HEALTH, target.key)
    return {
        "Target": _target(target.id, target.port, target.availability_zone),
        "HealthCheckPort": _check_port(group, target.port),
        "TargetHealth": _health(target, health, used),
    }


def _health(target: Target, health: TargetHealth | None, used: bool) -> dict[str, str]:
    if target.draining_since is not None:
        return _state(
            "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"
        )
    if not used:
        return _state("unused", "Target.NotInUse", NOT_IN_USE)
    if health is None:
        return _state("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
    return _state(health.state, health.reason, health.description)


def _state(state: str, reason: str, description: str) -> dict[str, str]:
    answer = {"State": state, "Reason": reason, "Description": description}
    return {name: text for name, text in answer.items() if text}


def _not_registered(group: TargetGroup, target_id: str, port: int) -> dict[str, object]:
    return {
        "Target": _target(target_id, port, ""),
        "HealthCheckPort": _check_port(group, port),
        "TargetHealth": _state(
            "unused", "Target.NotRegistered", "Target is not registered to the target group"
        ),
    }


def _target(target_id: str, port: int, zone: str) -> dict[str, object]:
    target: dict[str, object] = {"Id": target_id, "Port": port}
    return {**target, "AvailabilityZone": zone} if zone else target


def _check_port(group: TargetGroup, port: int) -> str:
    return str(port) if group.health_check_port == "traffic-port" else group.health_check_port


OPERATIONS: dict[str, Handler] = {
    "RegisterTargets": register_targets,
    "DeregisterTargets": deregister_targets,
    "DescribeTargetHealth": describe_target_health,
}
