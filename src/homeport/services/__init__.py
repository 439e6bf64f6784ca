"""API operations: a folder per AWS service, a file per noun.

An operation is a plain function of a ``Call`` and the decoded request; it reads and writes
the one open transaction and returns the response document. It never calls a controller.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import ec2, ecs, elbv2, iam, logs, s3, secretsmanager, ssm, sts
from .call import Handler

OPERATIONS: Mapping[str, Mapping[str, Handler]] = {
    "ecs": ecs.OPERATIONS,
    "elbv2": elbv2.OPERATIONS,
    "ec2": ec2.OPERATIONS,
    "iam": iam.OPERATIONS,
    "sts": sts.OPERATIONS,
    "logs": logs.OPERATIONS,
    "s3": s3.OPERATIONS,
    "secretsmanager": secretsmanager.OPERATIONS,
    "ssm": ssm.OPERATIONS,
}
"""Client name of a service → operation → handler: everything that is served."""
