"""Forgets what is over, when nobody is expected to ask for it any more.

ECS shows a stopped task for at least one hour, then answers MISSING. Services, container
instances and clusters that are INACTIVE can be described for a while; a cluster goes after all
that was in it. A task definition that is being deleted goes once nothing uses it. Client tokens
are good for 24 hours. A deleted secret goes when its recovery window ends. The history of a
service is the history controller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from homeport.domain.cluster import Cluster
from homeport.domain.container_instance import ContainerInstance
from homeport.domain.routing import NatGateway
from homeport.domain.secret import Secret
from homeport.domain.service import Service
from homeport.domain.task import ClientToken, Task
from homeport.domain.task_definition import TaskDefinition
from homeport.scheduling.definitions import in_use
from homeport.store import Change, Table, Transaction
from homeport.store.schema import (
    CLIENT_TOKENS,
    CLUSTERS,
    CONTAINER_INSTANCES,
    NAT_GATEWAYS,
    SECRET_VERSIONS,
    SECRETS,
    SERVICE_EVENTS,
    SERVICES,
    TASK_DEFINITIONS,
    TASKS,
)

KEEP_SECONDS = 3600.0
KEEP_TOKEN_SECONDS = 24 * 3600.0
LOOK_AGAIN_SECONDS = 30.0

ForgetAt = Callable[[Any, Transaction, float], float | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """``forget_at``: when a record of ``table`` is to go (epoch seconds), None = it stays."""

    table: Table[Any]
    forget_at: ForgetAt


def _task(task: Task, tx: Transaction, now: float) -> float | None:
    if task.last_status != "STOPPED":
        return None
    return (task.stopped_at or task.created_at) + KEEP_SECONDS


def _inactive(record: Service | ContainerInstance, tx: Transaction, now: float) -> float | None:
    if record.status != "INACTIVE":
        return None
    return (record.inactive_since or now) + KEEP_SECONDS


def _cluster(cluster: Cluster, tx: Transaction, now: float) -> float | None:
    if cluster.status != "INACTIVE":
        return None
    forget_at = (cluster.inactive_since or cluster.created_at) + KEEP_SECONDS
    if now < forget_at:
        return forget_at
    remembered = (
        tx.find(t, "cluster", cluster.arn) for t in (TASKS, SERVICES, CONTAINER_INSTANCES)
    )
    return now + LOOK_AGAIN_SECONDS if any(remembered) else forget_at


def _token(token: ClientToken, tx: Transaction, now: float) -> float | None:
    return token.created_at + KEEP_TOKEN_SECONDS


def _definition(definition: TaskDefinition, tx: Transaction, now: float) -> float | None:
    if definition.status != "DELETE_IN_PROGRESS":
        return None
    return now + LOOK_AGAIN_SECONDS if in_use(tx, definition.arn) else now


def _secret(secret: Secret, tx: Transaction, now: float) -> float | None:
    return secret.delete_at


def _nat_gateway(gateway: NatGateway, tx: Transaction, now: float) -> float | None:
    return None if gateway.deleted_at is None else gateway.deleted_at + KEEP_SECONDS


RULES = {
    rule.table.name: rule
    for rule in (
        Rule(TASKS, _task),
        Rule(SERVICES, _inactive),
        Rule(CONTAINER_INSTANCES, _inactive),
        Rule(CLUSTERS, _cluster),
        Rule(CLIENT_TOKENS, _token),
        Rule(TASK_DEFINITIONS, _definition),
        Rule(SECRETS, _secret),
        Rule(NAT_GATEWAYS, _nat_gateway),
    )
}


class RetentionController:
    """Keys are ``table|key`` of records that have a rule."""

    name = "retention"

    def keys(self, change: Change, tx: Transaction) -> Iterable[str]:
        """A record that is to be forgotten some day."""
        rule = RULES.get(change.table.name)
        if rule is None or change.after is None or rule.forget_at(change.after, tx, 0.0) is None:
            return ()
        return (f"{change.table.name}|{change.key}",)

    def all_keys(self, tx: Transaction) -> Iterable[str]:
        """Every such record."""
        return [
            f"{name}|{rule.table.key(record)}"
            for name, rule in RULES.items()
            for record in tx.all(rule.table)
            if rule.forget_at(record, tx, 0.0) is not None
        ]

    def reconcile(self, key: str, tx: Transaction, now: float) -> float | None:
        """Delete the record when its time is over."""
        name, _, own_key = key.partition("|")
        rule = RULES[name]
        record = tx.get(rule.table, own_key)
        forget_at = rule.forget_at(record, tx, now) if record is not None else None
        if forget_at is None or now < forget_at:
            return forget_at
        tx.delete(rule.table, own_key)
        if rule.table is SERVICES:
            for event in tx.find(SERVICE_EVENTS, "service", own_key):
                tx.delete(SERVICE_EVENTS, SERVICE_EVENTS.key(event))
        if rule.table is SECRETS:
            for version in tx.find(SECRET_VERSIONS, "secret", own_key):
                tx.delete(SECRET_VERSIONS, SECRET_VERSIONS.key(version))
        return None
