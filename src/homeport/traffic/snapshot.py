"""What the translation to Envoy looks at: one consistent reading of the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from homeport.domain.load_balancing import (
    Action,
    Listener,
    LoadBalancer,
    Rule,
    Target,
    TargetGroup,
    TargetHealth,
    TargetState,
)
from homeport.store import Transaction
from homeport.store.schema import (
    LISTENERS,
    LOAD_BALANCERS,
    RULES,
    TARGET_GROUPS,
    TARGET_HEALTH,
    TARGETS,
)


@dataclass(frozen=True, slots=True)
class Group:
    """A target group with its targets and what was last seen of each (by target key)."""

    target_group: TargetGroup
    targets: tuple[Target, ...] = ()
    health: Mapping[str, TargetState] | None = None

    def state(self, target: Target) -> TargetState:
        """The health state of a target; one never checked is ``initial``."""
        if target.draining_since is not None:
            return "draining"
        return (self.health or {}).get(target.key, "initial")


@dataclass(frozen=True, slots=True)
class ServedListener:
    """A listener with its load balancer and its rules, lowest priority number first."""

    listener: Listener
    load_balancer: LoadBalancer
    rules: tuple[Rule, ...] = ()

    def actions(self) -> Iterable[Action]:
        """Every action of every rule, the default rule's last."""
        for rule in self.rules:
            yield from rule.actions
        yield from self.listener.default_actions


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All listeners, and the groups that any of them forwards to (even with weight 0)."""

    load_balancers: tuple[LoadBalancer, ...] = ()
    listeners: tuple[ServedListener, ...] = ()
    groups: Mapping[str, Group] | None = None

    def group(self, arn: str) -> Group | None:
        """A group that is in use, by ARN."""
        return (self.groups or {}).get(arn)


def read_snapshot(tx: Transaction) -> Snapshot:
    """Read everything the translation needs in one transaction."""
    listeners = tuple(_served(tx))
    in_use = dict.fromkeys(arn for served in listeners for arn in groups_of(served.actions()))
    groups = {arn: group for arn in in_use if (group := _group(tx, arn)) is not None}
    return Snapshot(tuple(tx.all(LOAD_BALANCERS)), listeners, groups)


def groups_of(actions: Iterable[Action]) -> Iterable[str]:
    """ARNs of the target groups that forward actions name."""
    for action in actions:
        for weighted in action.target_groups:
            yield weighted.target_group_arn


def _served(tx: Transaction) -> Iterable[ServedListener]:
    for listener in tx.all(LISTENERS):
        load_balancer = tx.get(LOAD_BALANCERS, listener.load_balancer_arn)
        if load_balancer is not None:
            rules = sorted(tx.find(RULES, "listener", listener.arn), key=lambda r: r.priority)
            yield ServedListener(listener, load_balancer, tuple(rules))


def _group(tx: Transaction, arn: str) -> Group | None:
    target_group = tx.get(TARGET_GROUPS, arn)
    if target_group is None:
        return None
    seen: list[TargetHealth] = tx.find(TARGET_HEALTH, "target_group", arn)
    return Group(
        target_group,
        tuple(tx.find(TARGETS, "target_group", arn)),
        {health.key: health.state for health in seen},
    )
