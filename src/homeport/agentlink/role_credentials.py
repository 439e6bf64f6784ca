"""Temporary credentials for a task's roles, as the agent is sent them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from homeport.domain.arn import last_segment
from homeport.domain.iam import Role
from homeport.domain.session import Session, SessionMint
from homeport.domain.task import Task
from homeport.domain.task_definition import TaskDefinition
from homeport.identities import assumable_role
from homeport.store import Transaction

SESSION_SECONDS = 6 * 3600.0
RENEW_SECONDS = SESSION_SECONDS / 2

PAYLOAD_MEMBERS: Mapping[str, str] = {
    "TaskApplication": "roleCredentials",
    "TaskExecution": "executionRoleCredentials",
}
"""Role type → the member of a payload's task that carries its credentials."""

Credentials = dict[str, str]


class RoleCredentialsIssuer:
    """Issues sessions of task roles and execution roles, named after their task."""

    def __init__(self, mint: SessionMint) -> None:
        self._mint = mint

    def of_task(
        self, tx: Transaction, task: Task, definition: TaskDefinition, now: float
    ) -> dict[str, Credentials]:
        """Role type → credentials, for the roles that the task has.

        A role that is gone, or trusts tasks no longer, since the task was launched gives none.
        """
        named = {
            "TaskApplication": role_of(task, definition, "taskRoleArn"),
            "TaskExecution": role_of(task, definition, "executionRoleArn"),
        }
        roles = {
            role_type: assumable_role(tx, identifier, task.cluster_arn)
            for role_type, identifier in named.items()
            if identifier
        }
        return {
            role_type: self._issue(task, role_type, role, now)
            for role_type, role in roles.items()
            if role is not None
        }

    def _issue(self, task: Task, role_type: str, role: Role, now: float) -> Credentials:
        account_id = role.arn.split(":")[4]
        session_name = last_segment(task.arn)
        issued = self._mint.issue(
            Session(
                arn=f"arn:aws:sts::{account_id}:assumed-role/{role.name}/{session_name}",
                role_name=role.name,
                session_name=session_name,
                issued_at=now,
                expires_at=now + SESSION_SECONDS,
                nonce=secrets.token_urlsafe(8),
            )
        )
        return {
            "credentialsId": self._mint.credentials_id(task.arn, role_type),
            "roleArn": role.arn,
            "accessKeyId": issued.access_key_id,
            "secretAccessKey": issued.secret_access_key,
            "sessionToken": issued.session_token,
            "expiration": rfc3339(issued.expires_at),
        }


def role_of(task: Task, definition: TaskDefinition, member: str) -> str:
    """The role's ARN: an override before the definition; empty if there is none."""
    value = task.overrides.get(member) or definition.document.get(member) or ""
    return str(value)


def rfc3339(at: float) -> str:
    """Whole seconds, UTC, ``…Z``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
