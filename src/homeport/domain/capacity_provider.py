"""Capacity providers: where tasks run, by name.

``FARGATE`` and ``FARGATE_SPOT`` are built in and have no record. A container instance belongs to
the provider that its attribute ``homeport.capacity-provider`` names: there are no Auto Scaling
groups whose members it could be known from.
"""

from __future__ import annotations

import msgspec

from .cluster import StrategyItem, Tag

FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
MEMBERSHIP_ATTRIBUTE = "homeport.capacity-provider"

Strategy = tuple[StrategyItem, ...]


class ManagedScaling(msgspec.Struct, frozen=True):
    """Kept and shown; Homeport starts no machines."""

    status: str = "DISABLED"
    target_capacity: int = 100
    minimum_scaling_step_size: int = 1
    maximum_scaling_step_size: int = 10_000
    instance_warmup_period: int = 300


class CapacityProvider(msgspec.Struct, frozen=True):
    """A provider over an Auto Scaling group."""

    arn: str
    name: str
    created_at: float
    auto_scaling_group_arn: str
    managed_scaling: ManagedScaling = ManagedScaling()
    managed_termination_protection: str = "DISABLED"
    managed_draining: str = "ENABLED"
    update_status: str = "CREATE_COMPLETE"
    tags: tuple[Tag, ...] = ()


def launch_type_of(provider: str) -> str:
    """What tasks of a provider have as their launch type."""
    return "FARGATE" if provider in FARGATE_PROVIDERS else "EC2"
