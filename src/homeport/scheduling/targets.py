"""Registers and deregisters targets: the writes that ELBv2 operations and controllers share.

Source: "Target groups for your Application Load Balancers", ELBv2 user guide.
"""

from __future__ import annotations

import msgspec

from homeport.domain.load_balancing import Target, TargetGroup, TargetHealth, target_key
from homeport.store import Transaction
from homeport.store.schema import TARGET_HEALTH, TARGETS

DELAY_ATTRIBUTE = "deregistration_delay.timeout_seconds"
DEFAULT_DELAY_SECONDS = 300.0


def register_target(
    tx: Transaction,
    target_group: TargetGroup,
    target_id: str,
    port: int,
    address: str,
    availability_zone: str,
    now: float,
) -> Target:
    """Register a target. Registered already: nothing changes; draining: it counts as new."""
    key = target_key(target_group.arn, target_id, port)
    existing = tx.get(TARGETS, key)
    if existing is not None and existing.draining_since is None and existing.address == address:
        return existing
    tx.put(
        TARGET_HEALTH,
        TargetHealth(
            key=key,
            target_group_arn=target_group.arn,
            state="initial",
            reason="Elb.RegistrationInProgress",
            description="Target registration is in progress",
            changed_at=now,
        ),
    )
    return tx.put(
        TARGETS,
        Target(
            target_group_arn=target_group.arn,
            id=target_id,
            port=port,
            address=address,
            registered_at=now,
            availability_zone=availability_zone,
        ),
    )


def deregister_target(
    tx: Transaction, target_group: TargetGroup, target_id: str, port: int, now: float
) -> None:
    """Begin draining a target, or remove it at once when the group's delay is 0.

    The row of a draining target is removed when its delay is over. Unknown targets are fine.
    """
    key = target_key(target_group.arn, target_id, port)
    target = tx.get(TARGETS, key)
    if target is None or target.draining_since is not None:
        return
    if delay_seconds(target_group) == 0:
        remove_target(tx, key)
    else:
        tx.put(TARGETS, msgspec.structs.replace(target, draining_since=now))


def remove_target(tx: Transaction, key: str) -> None:
    """Forget a target and what was seen of it."""
    tx.delete(TARGETS, key)
    tx.delete(TARGET_HEALTH, key)


def delay_seconds(target_group: TargetGroup) -> float:
    """The group's deregistration delay."""
    return float(target_group.attributes.get(DELAY_ATTRIBUTE, DEFAULT_DELAY_SECONDS))
