"""Clusters and account settings."""

from __future__ import annotations

from typing import Literal

import msgspec

ClusterStatus = Literal["ACTIVE", "INACTIVE"]


class Tag(msgspec.Struct, frozen=True):
    """One resource tag. ECS spells it key/value, ELBv2 Key/Value."""

    key: str
    value: str = ""


class StrategyItem(msgspec.Struct, frozen=True):
    """One item of a capacity provider strategy; ``capacity_provider`` is a name."""

    capacity_provider: str
    weight: int = 0
    base: int = 0


class Cluster(msgspec.Struct, frozen=True):
    """An ECS cluster. Counts of tasks, services and instances are never stored here."""

    arn: str
    name: str
    created_at: float
    status: ClusterStatus = "ACTIVE"
    settings: tuple[tuple[str, str], ...] = (("containerInsights", "disabled"),)
    configuration: dict[str, object] | None = None
    service_connect_defaults: dict[str, object] | None = None
    capacity_providers: tuple[str, ...] = ()
    default_capacity_provider_strategy: tuple[StrategyItem, ...] = ()
    tags: tuple[Tag, ...] = ()
    inactive_since: float | None = None


class AccountSetting(msgspec.Struct, frozen=True):
    """One account setting of one principal (or of the account: ``principal_arn`` = root)."""

    principal_arn: str
    name: str
    value: str
