"""What records say of a principal: whom a role trusts, what a user or a session may do."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from homeport.decide.policy import PolicySet, Question, parse
from homeport.domain.iam import Group, InlinePolicy, ManagedPolicy, PolicyVersion, Role, User
from homeport.identities import permissions_of, role_by_arn, role_by_name, trusts
from homeport.identities.aws_managed import aws_managed_policies
from homeport.store import Store, Transaction
from homeport.store.journal import MemoryJournal
from homeport.store.schema import GROUPS, POLICIES, ROLES, TABLES

ACCOUNT = "123456789012"
TASKS = "ecs-tasks.amazonaws.com"
EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
MINE = f"arn:aws:iam::{ACCOUNT}:policy/mine"


def document(effect: str, action: str, **more: object) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def trust(**more: object) -> str:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": TASKS},
        **more,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(**fields: object) -> Role:
    arn = f"arn:aws:iam::{ACCOUNT}:role/team/Web"
    whole = {"name": "Web", "path": "/team/", "role_id": "AROA1", "arn": arn, "created_at": 0.0}
    return Role(**{"trust_policy": trust(), **whole, **fields})  # type: ignore[arg-type]


def user(**fields: object) -> User:
    arn = f"arn:aws:iam::{ACCOUNT}:user/alice"
    whole = {"name": "alice", "path": "/", "user_id": "AIDA1", "arn": arn, "created_at": 0.0}
    return User(**{**whole, **fields})  # type: ignore[arg-type]


@pytest.fixture
def tx() -> Iterator[Transaction]:
    with Store(TABLES, MemoryJournal()).transaction() as tx:
        yield tx


def may(tx: Transaction, holder: User | Role, action: str, **session: tuple[str, ...]) -> str:
    refusal = permissions_of(tx, holder, **session).refusal(Question(action, "*"))
    return "yes" if refusal is None else refusal.reason(action)


def test_a_role_is_found_by_name_and_by_its_whole_arn(tx: Transaction) -> None:
    stored = tx.put(ROLES, role())
    assert role_by_name(tx, "web") is stored
    assert role_by_arn(tx, stored.arn) is stored
    assert role_by_arn(tx, f"arn:aws:iam::{ACCOUNT}:role/Web") is None


def test_a_role_trusts_the_services_it_names() -> None:
    assert trusts(role(), TASKS)
    assert not trusts(role(), "ec2.amazonaws.com")


def test_conditions_of_a_trust_policy_are_asked() -> None:
    only_here = role(trust_policy=trust(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}))
    assert trusts(only_here, TASKS, {"aws:SourceAccount": ACCOUNT})
    assert not trusts(only_here, TASKS, {"aws:SourceAccount": "999999999999"})
    assert not trusts(only_here, TASKS)


def test_every_kind_of_identity_policy_counts(tx: Transaction) -> None:
    tx.put(
        GROUPS,
        Group("Devs", "/", "AGPA1", "arn", 0.0, (InlinePolicy("p", document("Allow", "ecs:*")),)),
    )
    versions = (PolicyVersion("v1", document("Allow", "ec2:*"), 0.0),)
    tx.put(POLICIES, ManagedPolicy(MINE, "mine", "/", "ANPA1", 0.0, 0.0, versions))
    alice = user(
        groups=("devs",),
        attached_policies=(MINE, EXECUTION),
        inline_policies=(InlinePolicy("own", document("Allow", "iam:Get*")),),
    )
    for action in ("ecs:RunTask", "ec2:CreateVpc", "logs:PutLogEvents", "iam:GetUser"):
        assert may(tx, alice, action) == "yes"
    assert may(tx, alice, "s3:GetObject") == (
        "because no identity-based policy allows the s3:GetObject action"
    )


def test_a_deny_wins_over_every_allow(tx: Transaction) -> None:
    alice = user(
        attached_policies=("arn:aws:iam::aws:policy/AdministratorAccess",),
        inline_policies=(InlinePolicy("no", document("Deny", "ecs:RunTask")),),
    )
    assert may(tx, alice, "ecs:RunTask") == "with an explicit deny in an identity-based policy"
    assert may(tx, alice, "ecs:StopTask") == "yes"


def test_a_boundary_and_a_session_policy_only_narrow(tx: Transaction) -> None:
    versions = (PolicyVersion("v1", document("Allow", "ecs:*"), 0.0),)
    tx.put(POLICIES, ManagedPolicy(MINE, "mine", "/", "ANPA1", 0.0, 0.0, versions))
    admin = role(
        attached_policies=("arn:aws:iam::aws:policy/AdministratorAccess",),
        permissions_boundary=MINE,
    )
    only_list = {"session_policies": (document("Allow", "*:List*"),)}
    assert may(tx, admin, "iam:ListUsers") == (
        "because no permissions boundary allows the iam:ListUsers action"
    )
    assert may(tx, admin, "ecs:ListTasks", **only_list) == "yes"
    assert may(tx, admin, "ecs:RunTask", **only_list) == (
        "because no session policy allows the ecs:RunTask action"
    )
    assert may(tx, admin, "logs:PutLogEvents", session_policy_arns=(EXECUTION,)) == (
        "because no permissions boundary allows the logs:PutLogEvents action"
    )


def test_a_changed_policy_is_in_force_at_once(tx: Transaction) -> None:
    assert may(tx, user(), "ecs:RunTask") != "yes"
    able = user(inline_policies=(InlinePolicy("p", document("Allow", "ecs:RunTask")),))
    assert may(tx, able, "ecs:RunTask") == "yes"
    assert may(tx, user(), "ecs:RunTask") != "yes"


@pytest.mark.parametrize("arn", sorted(aws_managed_policies()))
def test_awss_managed_policies_are_policies(arn: str) -> None:
    policy = aws_managed_policies()[arn]
    assert policy.arn == f"arn:aws:iam::aws:policy{policy.path}{policy.name}"
    assert parse(policy.document).statements


def test_the_execution_role_policy_allows_what_aws_says_and_no_more() -> None:
    policies = PolicySet([parse(aws_managed_policies()[EXECUTION].document)])
    allowed = {
        action
        for action in ("logs:CreateLogStream", "logs:CreateLogGroup", "ssm:GetParameters")
        if policies.evaluate(Question(action, "*")).value == "allow"
    }
    assert allowed == {"logs:CreateLogStream"}
