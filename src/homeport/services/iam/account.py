"""The account in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeport.services.call import Call, Handler, Response
from homeport.store.schema import ACCESS_KEYS, GROUPS, INSTANCE_PROFILES, POLICIES, ROLES, USERS

from .access_keys import MAX_KEYS
from .documents import MAX_INLINE, MAX_MANAGED_POLICY, MAX_TRUST_POLICY
from .groups import MAX_GROUPS_OF_A_USER
from .holders import KINDS
from .managed_policies import MAX_VERSIONS


def get_account_summary(call: Call, request: Mapping[str, Any]) -> Response:
    """What there is, counted, and the quotas that are kept."""
    counted = {
        "Users": len(call.tx.all(USERS)),
        "Groups": len(call.tx.all(GROUPS)),
        "Roles": len(call.tx.all(ROLES)),
        "Policies": len(call.tx.all(POLICIES)),
        "InstanceProfiles": len(call.tx.all(INSTANCE_PROFILES)),
        "AccountAccessKeysPresent": int(any(k.kind == "root" for k in call.tx.all(ACCESS_KEYS))),
    }
    quotas = {
        "AccessKeysPerUserQuota": MAX_KEYS,
        "GroupsPerUserQuota": MAX_GROUPS_OF_A_USER,
        "PolicySizeQuota": MAX_MANAGED_POLICY,
        "AssumeRolePolicySizeQuota": MAX_TRUST_POLICY,
        "VersionsPerPolicyQuota": MAX_VERSIONS,
        **{f"{noun.capitalize()}PolicySizeQuota": size for noun, size in MAX_INLINE.items()},
        **{f"AttachedPoliciesPer{kind.title}Quota": kind.max_attached for kind in KINDS},
    }
    return {"SummaryMap": counted | quotas}


OPERATIONS: dict[str, Handler] = {"GetAccountSummary": get_account_summary}
