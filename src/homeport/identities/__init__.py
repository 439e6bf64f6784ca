"""Who there is in the account and what their policies say: reads over IAM's records.

Called by the gateway's authorization step, by the operations of IAM and STS, and by whoever acts
for a role (``role_by_arn``, ``trusts``). Writes nothing: the records belong to ``services.iam``.
"""

from __future__ import annotations

from .permissions import Permissions, Refusal, permissions_of
from .roles import role_by_arn, role_by_name, trusts
from .task_roles import assumable_role, unassumable

__all__ = [
    "Permissions",
    "Refusal",
    "assumable_role",
    "permissions_of",
    "role_by_arn",
    "role_by_name",
    "trusts",
    "unassumable",
]
