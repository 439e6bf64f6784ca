"""The limits of this account: what operations enforce."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.services.call import Call, Handler, Response

from . import actions, conditions, listeners, rules, targets

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import DescribeAccountLimitsInputTypeDef

LIMITS = {
    "listeners-per-application-load-balancer": listeners.MAX_LISTENERS,
    "rules-per-application-load-balancer": rules.MAX_RULES,
    "condition-values-per-alb-rule": conditions.MAX_VALUES,
    "condition-wildcards-per-alb-rule": conditions.MAX_WILDCARDS,
    "target-groups-per-action-on-application-load-balancer": actions.MAX_TARGET_GROUPS,
    "targets-per-target-group": targets.MAX_TARGETS,
}


def describe_account_limits(call: Call, request: DescribeAccountLimitsInputTypeDef) -> Response:
    """Every limit that is enforced here."""
    return {"Limits": [{"Name": name, "Max": str(limit)} for name, limit in LIMITS.items()]}


OPERATIONS: dict[str, Handler] = {"DescribeAccountLimits": describe_account_limits}
