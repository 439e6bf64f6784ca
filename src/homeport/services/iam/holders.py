"""What users, groups and roles have in common: they hold policies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeport.domain.iam import Group, Role, User
from homeport.services.call import Call
from homeport.store import Table
from homeport.store.schema import GROUPS, ROLES, USERS

from .entities import find_changeable_role, find_group, find_role, find_user

Holder = User | Group | Role


@dataclass(frozen=True, slots=True)
class HolderKind:
    """One kind of holder. ``noun`` is in operations' names (PutUserPolicy) and in texts."""

    noun: str
    table: Table[Any]  # a table of this kind's records: the three have no common type
    find: Callable[[Call, str], Holder]
    find_changeable: Callable[[Call, str], Holder]
    max_attached: int

    @property
    def title(self) -> str:
        """``User``."""
        return self.noun.capitalize()

    @property
    def member(self) -> str:
        """The request's member that names the holder."""
        return f"{self.title}Name"


USER = HolderKind("user", USERS, find_user, find_user, 10)
GROUP = HolderKind("group", GROUPS, find_group, find_group, 10)
ROLE = HolderKind("role", ROLES, find_role, find_changeable_role, 20)
KINDS = (USER, GROUP, ROLE)
