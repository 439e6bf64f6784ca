"""An account with users and roles, made through the API as root would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from api_client import ACCOUNT, Api

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ECS_FULL = "arn:aws:iam::aws:policy/AmazonECS_FullAccess"
INSTANCE = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
TASKS = {"Service": "ecs-tasks.amazonaws.com"}


def user_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def statement(
    effect: str, action: str | list[str], resource: str | list[str] = "*", **more: object
) -> dict[str, object]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def policy(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str] = "*", **more: object) -> str:
    return policy(statement("Allow", action, resource, **more))


def trust(principal: object, effect: str = "Allow", **more: object) -> str:
    return policy({"Effect": effect, "Action": "sts:AssumeRole", "Principal": principal, **more})


def make_user(api: Api, name: str, *documents: str, managed: tuple[str, ...] = ()) -> Any:
    """A user with these policies; gives the access key."""
    iam = api.client("iam")
    iam.create_user(UserName=name)
    for number, document in enumerate(documents):
        iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=document)
    for arn in managed:
        iam.attach_user_policy(UserName=name, PolicyArn=arn)
    return iam.create_access_key(UserName=name)["AccessKey"]


def make_role(
    api: Api, name: str, *documents: str, principal: object = TASKS, **more: object
) -> str:
    """A role with these policies; gives its ARN."""
    iam = api.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(principal), **more)
    for number, document in enumerate(documents):
        iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=document)
    return str(made["Role"]["Arn"])
