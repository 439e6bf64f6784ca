"""``loadBalancers[]`` of a service, checked against its task definition and the ELBv2 records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from homeport.domain.load_balancing import Action
from homeport.domain.service import ServiceLoadBalancer
from homeport.domain.task_definition import TaskDefinition
from homeport.store import Transaction
from homeport.store.schema import LISTENERS, RULES, TARGET_GROUPS

from .errors import ClientException, InvalidParameterException
from .not_run_yet import refusal

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import LoadBalancerTypeDef

MAX_TARGET_GROUPS = 5


def parse_load_balancers(items: Sequence[LoadBalancerTypeDef]) -> tuple[ServiceLoadBalancer, ...]:
    """The records of ``loadBalancers[]``: target groups only."""
    if len(items) > MAX_TARGET_GROUPS:
        raise InvalidParameterException("load balancers can have at most 5 items.")
    return tuple(_parse(item) for item in items)


def check_load_balancers(
    tx: Transaction, items: Iterable[ServiceLoadBalancer], definition: TaskDefinition
) -> None:
    """Raise InvalidParameterException when a task of ``definition`` could not be registered."""
    for item in items:
        _check_container(item, definition)
        _check_target_group(tx, item.target_group_arn, definition)


def _parse(item: LoadBalancerTypeDef) -> ServiceLoadBalancer:
    if item.get("loadBalancerName"):
        raise ClientException(refusal("loadBalancers.loadBalancerName (Classic Load Balancer)"))
    if item.get("advancedConfiguration"):
        raise ClientException(refusal("loadBalancers.advancedConfiguration"))
    arn, name, port = (item.get(m) for m in ("targetGroupArn", "containerName", "containerPort"))
    if not isinstance(arn, str) or not arn:
        raise InvalidParameterException("targetGroupArn can not be blank.")
    if not isinstance(name, str) or not name:
        raise InvalidParameterException("Container name can not be blank.")
    if not isinstance(port, int) or not 0 < port < 65536:
        raise InvalidParameterException("Container port must be between 1 and 65535.")
    return ServiceLoadBalancer(target_group_arn=arn, container_name=name, container_port=port)


def _check_container(item: ServiceLoadBalancer, definition: TaskDefinition) -> None:
    name, port = item.container_name, item.container_port
    container = next((c for c in definition.containers if c.name == name), None)
    if container is None:
        raise InvalidParameterException(
            f"The container {name} does not exist in the task definition."
        )
    if port not in {mapping.container_port for mapping in container.port_mappings}:
        raise InvalidParameterException(
            f"The container {name} did not have a container port {port} defined."
        )


def _check_target_group(tx: Transaction, arn: str, definition: TaskDefinition) -> None:
    group = tx.get(TARGET_GROUPS, arn)
    if group is None:
        raise InvalidParameterException(f"The target group with targetGroupArn {arn} not found.")
    if group.target_type == "instance" and definition.network_mode == "awsvpc":
        raise InvalidParameterException(
            f"The provided target group {arn} has target type instance, which is incompatible "
            "with the awsvpc network mode specified in the task definition."
        )
    if group.target_type == "ip" and definition.network_mode != "awsvpc":
        raise InvalidParameterException(
            f"The provided target group {arn} has target type ip, which is incompatible with the "
            f"{definition.network_mode} network mode specified in the task definition."
        )
    if arn not in _attached_target_groups(tx):
        raise InvalidParameterException(
            f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        )


def _attached_target_groups(tx: Transaction) -> set[str]:
    actions: list[Action] = []
    for listener in tx.all(LISTENERS):
        actions.extend(listener.default_actions)
    for rule in tx.all(RULES):
        actions.extend(rule.actions)
    return {group.target_group_arn for action in actions for group in action.target_groups}
