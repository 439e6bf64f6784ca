"""Roles that tasks may have: they trust ``ecs-tasks.amazonaws.com``."""

from __future__ import annotations

import json
import uuid

from control_plane import ControlPlane

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def task_role(plane: ControlPlane, *actions: str, resource: str = "*") -> str:
    """A new role that may do these actions; gives its ARN."""
    iam, name = plane.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    if actions:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
    return str(made["Role"]["Arn"])
