"""What each operation needs: its action, the resources that the request names, condition keys.

One file per service, each a table. An operation without a row has the action of its own name, on
``*``: a policy that allows it on some resource only does not allow it then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import ec2, ecs, elbv2, iam, logs, s3, secretsmanager, ssm
from .context import RequestContext
from .rule import Asked, Need, Rule, needs

__all__ = ["RULES", "Asked", "Need", "RequestContext", "needs_of", "prefix_of"]

# botocore's client name → operation → rule.
RULES: Mapping[str, Mapping[str, Rule]] = {
    "ecs": ecs.RULES,
    "elbv2": elbv2.RULES,
    "iam": iam.IAM_RULES,
    "logs": logs.RULES,
    "s3": s3.RULES,
    "secretsmanager": secretsmanager.RULES,
    "ssm": ssm.RULES,
    "sts": iam.STS_RULES,
}

# Where the prefix of actions is neither the client's name nor the name that requests sign.
_PREFIXES: Mapping[str, str] = {"cloudwatch": "cloudwatch"}
_UNLISTED = Rule()


def prefix_of(service: str, signing_name: str) -> str:
    """``elasticloadbalancing`` of ``elasticloadbalancing:CreateRule``."""
    return _PREFIXES.get(service, signing_name)


def needs_of(service: str, asked: Asked) -> Iterable[Need]:
    """All that a request of this service needs."""
    if service == "ec2":
        return needs(ec2.rule(asked.operation), asked)
    return needs(RULES.get(service, {}).get(asked.operation, _UNLISTED), asked)
