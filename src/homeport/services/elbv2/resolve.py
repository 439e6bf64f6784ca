"""Finding ELBv2 records by what requests name, and what uses what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homeport.domain.load_balancing import Action, Listener, LoadBalancer, Rule, TargetGroup
from homeport.services.call import Call
from homeport.store import Transaction
from homeport.store.schema import LISTENERS, LOAD_BALANCERS, RULES, TARGET_GROUPS

from .errors import (
    ListenerNotFound,
    LoadBalancerNotFound,
    RuleNotFound,
    TargetGroupNotFound,
    ValidationError,
)


def load_balancer(call: Call, arn: str) -> LoadBalancer:
    """By ARN. Raises LoadBalancerNotFound; ValidationError for what is no ARN of one."""
    _check_arn(arn, "loadbalancer", "load balancer")
    found = call.tx.get(LOAD_BALANCERS, arn)
    if found is None:
        raise LoadBalancerNotFound(f"Load balancer '{arn}' not found")
    return found


def listener(call: Call, arn: str) -> Listener:
    """By ARN. Raises ListenerNotFound."""
    _check_arn(arn, "listener", "listener")
    found = call.tx.get(LISTENERS, arn)
    if found is None:
        raise ListenerNotFound
    return found


def rule(call: Call, arn: str) -> Rule:
    """By ARN. Raises RuleNotFound."""
    _check_arn(arn, "listener-rule", "listener rule")
    found = call.tx.get(RULES, arn)
    if found is None:
        raise RuleNotFound
    return found


def target_group(call: Call, arn: str) -> TargetGroup:
    """By ARN. Raises TargetGroupNotFound."""
    _check_arn(arn, "targetgroup", "target group")
    found = call.tx.get(TARGET_GROUPS, arn)
    if found is None:
        raise TargetGroupNotFound
    return found


def _check_arn(arn: str, kind: str, name: str) -> None:
    if not arn.startswith("arn:") or f":{kind}/" not in arn:
        raise ValidationError(f"'{arn[:256]}' is not a valid {name} ARN")


def rules_in_order(tx: Transaction, of: Listener) -> list[Rule]:
    """The rules of a listener by priority, without its default rule."""
    return sorted(tx.find(RULES, "listener", of.arn), key=lambda r: r.priority)


def listeners_of(tx: Transaction, of: LoadBalancer) -> list[Listener]:
    """The listeners of a load balancer by port."""
    return sorted(tx.find(LISTENERS, "load_balancer", of.arn), key=lambda found: found.port)


def target_group_arns(actions: Iterable[Action]) -> Iterator[str]:
    """The target groups that actions forward to."""
    return (group.target_group_arn for action in actions for group in action.target_groups)


def load_balancer_arns_of(tx: Transaction, target_group_arn: str) -> list[str]:
    """The load balancers (at most one) whose listeners or rules forward to the group."""
    found: set[str] = set()
    for each in tx.all(LISTENERS):
        actions = list(each.default_actions)
        for each_rule in tx.find(RULES, "listener", each.arn):
            actions.extend(each_rule.actions)
        if target_group_arn in target_group_arns(actions):
            found.add(each.load_balancer_arn)
    return sorted(found)
