"""Access keys and temporary credentials: whom they stand for, and when they stop."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from api_client import ACCOUNT, ENDPOINT, KEY, Api, refusal
from iam_world import (
    ADMIN,
    TASKS,
    allow,
    make_role,
    make_user,
    policy,
    role_arn,
    statement,
    trust,
    user_arn,
)

INVALID = "The security token included in the request is invalid."


class Clock:
    """Now, and as much later as a test wants."""

    def __init__(self) -> None:
        self.later = 0.0

    def __call__(self) -> float:
        return time.time() + self.later


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> Iterator[Api]:
    api = Api(clock)
    yield api
    api.close()


def assume(api: Api, key: Mapping[str, str], role: str, **more: Any) -> Any:
    return api.client("sts", key).assume_role(
        RoleArn=role_arn(role), RoleSessionName="work", **more
    )["Credentials"]


def test_an_assumed_role_has_the_roles_permissions_and_not_the_users(api: Api) -> None:
    bob = make_user(api, "bob", allow("sts:AssumeRole"), allow("iam:ListUsers"))
    make_role(api, "reader", allow("ecs:List*"), principal={"AWS": user_arn("bob")})
    session = assume(api, bob, "reader")
    who = api.client("sts", session).get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/work"
    role_id = api.client("iam").get_role(RoleName="reader")["Role"]["RoleId"]
    assert who["UserId"] == f"{role_id}:work"
    assert api.client("ecs", session).list_clusters()["clusterArns"] == []
    assert refusal(api.client("iam", session).list_users) == (
        "AccessDenied",
        f"User: {who['Arn']} is not authorized to perform: iam:ListUsers on resource: "
        f"arn:aws:iam::{ACCOUNT}:user/ because no identity-based policy allows the "
        "iam:ListUsers action",
    )


def test_a_role_is_assumed_by_whom_it_trusts(api: Api) -> None:
    bob, eve = make_user(api, "bob"), make_user(api, "eve", managed=(ADMIN,))
    make_role(api, "app", principal={"AWS": user_arn("bob")})
    assert assume(api, bob, "app")  # named: no policy of its own is needed
    code, message = refusal(
        api.client("sts", eve).assume_role, RoleArn=role_arn("app"), RoleSessionName="work"
    )
    assert code == "AccessDenied"
    assert message == (
        f"User: {user_arn('eve')} is not authorized to perform: sts:AssumeRole on resource: "
        f"{role_arn('app')} because no role trust policy allows the sts:AssumeRole action"
    )


def test_a_role_that_trusts_the_account_leaves_it_to_the_users_policies(api: Api) -> None:
    make_role(api, "app", principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    bob = make_user(api, "bob")
    assert refusal(
        api.client("sts", bob).assume_role, RoleArn=role_arn("app"), RoleSessionName="work"
    ) == (
        "AccessDenied",
        f"User: {user_arn('bob')} is not authorized to perform: sts:AssumeRole on resource: "
        f"{role_arn('app')} because no identity-based policy allows the sts:AssumeRole action",
    )
    assert assume(api, make_user(api, "ann", allow("sts:AssumeRole", role_arn("app"))), "app")


def test_a_role_of_a_service_or_of_nobody_can_not_be_assumed(api: Api) -> None:
    make_role(api, "task", principal=TASKS)
    bob = make_user(api, "bob", managed=(ADMIN,))
    for name in ("task", "nowhere"):
        code, message = refusal(
            api.client("sts", bob).assume_role, RoleArn=role_arn(name), RoleSessionName="work"
        )
        assert code == "AccessDenied"
        assert f"sts:AssumeRole on resource: {role_arn(name)}" in message


def test_root_assumes_no_roles(api: Api) -> None:
    make_role(api, "app", principal={"AWS": ACCOUNT})
    assert refusal(
        api.client("sts").assume_role, RoleArn=role_arn("app"), RoleSessionName="work"
    ) == ("AccessDenied", "Roles may not be assumed by root accounts.")


def test_an_external_id_is_asked_for(api: Api) -> None:
    bob = make_user(api, "bob")
    document = trust({"AWS": user_arn("bob")}, Condition={"StringEquals": {"sts:ExternalId": "42"}})
    api.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=document)
    assert assume(api, bob, "app", ExternalId="42")
    sts = api.client("sts", bob)
    for more in ({}, {"ExternalId": "41"}):
        code, _ = refusal(sts.assume_role, RoleArn=role_arn("app"), RoleSessionName="work", **more)
        assert code == "AccessDenied"


def test_a_session_policy_narrows(api: Api) -> None:
    bob = make_user(api, "bob")
    make_role(api, "app", allow("ecs:*"), principal={"AWS": user_arn("bob")})
    session = assume(api, bob, "app", Policy=allow("ecs:ListClusters"))
    ecs = api.client("ecs", session)
    assert ecs.list_clusters()["clusterArns"] == []
    code, message = refusal(ecs.create_cluster)
    assert code == "AccessDeniedException"
    assert message.endswith("because no session policy allows the ecs:CreateCluster action")


def test_a_session_lasts_no_longer_than_the_role_lets_it(api: Api) -> None:
    bob = make_user(api, "bob")
    make_role(api, "app", allow("*"), principal={"AWS": user_arn("bob")}, MaxSessionDuration=7200)
    sts = api.client("sts", bob)
    assert refusal(
        sts.assume_role, RoleArn=role_arn("app"), RoleSessionName="work", DurationSeconds=7201
    ) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )
    session = assume(api, bob, "app", DurationSeconds=7200)
    assert 7190 < session["Expiration"].timestamp() - time.time() <= 7200


def test_an_expired_session_is_refused_as_expired(api: Api, clock: Clock) -> None:
    bob = make_user(api, "bob")
    make_role(api, "app", allow("*"), principal={"AWS": user_arn("bob")})
    clock.later = -890.0  # the session is made a quarter of an hour ago, nearly
    session = assume(api, bob, "app", DurationSeconds=900)
    clock.later = 10.0
    expired = "The security token included in the request is expired"
    assert refusal(api.client("ecs", session).list_clusters) == ("ExpiredTokenException", expired)
    assert refusal(api.client("iam", session).list_users) == ("ExpiredToken", expired)


def test_a_chained_session_lasts_an_hour_at_most(api: Api) -> None:
    bob = make_user(api, "bob")
    make_role(api, "one", allow("sts:*"), principal={"AWS": user_arn("bob")})
    make_role(api, "two", principal={"AWS": role_arn("one")}, MaxSessionDuration=43200)
    first = assume(api, bob, "one")
    assert assume(api, first, "two")
    code, message = refusal(
        api.client("sts", first).assume_role,
        RoleArn=role_arn("two"),
        RoleSessionName="work",
        DurationSeconds=3601,
    )
    assert code == "ValidationError"
    assert "role chaining" in message


def test_a_token_is_good_for_its_own_key_only(api: Api) -> None:
    bob = make_user(api, "bob")
    make_role(api, "app", allow("*"), principal={"AWS": user_arn("bob")})
    one, two = assume(api, bob, "app"), assume(api, bob, "app")
    mixed = {**one, "SessionToken": two["SessionToken"]}
    assert refusal(api.client("ecs", mixed).list_clusters) == (
        "UnrecognizedClientException",
        INVALID,
    )
    without = {name: one[name] for name in ("AccessKeyId", "SecretAccessKey")}
    assert refusal(api.client("ecs", without).list_clusters)[0] == "UnrecognizedClientException"
    changed = {**one, "SessionToken": one["SessionToken"][:-4] + "AAAA"}
    assert refusal(api.client("iam", changed).list_users) == ("InvalidClientTokenId", INVALID)
    wrong = {**one, "SecretAccessKey": two["SecretAccessKey"]}
    assert refusal(api.client("ecs", wrong).list_clusters)[0] == "InvalidSignatureException"


def test_a_deleted_roles_sessions_end_even_if_another_gets_its_name(api: Api) -> None:
    iam, bob = api.client("iam"), make_user(api, "bob")
    make_role(api, "app", principal={"AWS": user_arn("bob")})
    session = assume(api, bob, "app")
    iam.delete_role(RoleName="app")
    sts = api.client("sts", session)
    assert refusal(sts.get_caller_identity) == ("InvalidClientTokenId", INVALID)
    make_role(api, "app", principal={"AWS": user_arn("bob")})
    assert refusal(sts.get_caller_identity) == ("InvalidClientTokenId", INVALID)


def test_an_inactive_key_is_as_good_as_none(api: Api) -> None:
    iam, key = api.client("iam"), make_user(api, "bob", managed=(ADMIN,))
    ecs = api.client("ecs", key)
    assert ecs.list_clusters()
    this = {"UserName": "bob", "AccessKeyId": key["AccessKeyId"]}
    iam.update_access_key(**this, Status="Inactive")
    assert refusal(ecs.list_clusters) == ("UnrecognizedClientException", INVALID)
    assert refusal(api.client("sts", key).get_caller_identity) == ("InvalidClientTokenId", INVALID)
    iam.update_access_key(**this, Status="Active")
    assert ecs.list_clusters()
    iam.delete_access_key(**this)
    assert refusal(ecs.list_clusters) == ("UnrecognizedClientException", INVALID)


def test_a_key_survives_a_change_of_the_users_name(api: Api) -> None:
    key = make_user(api, "bob", allow("ecs:ListClusters"))
    api.client("iam").update_user(UserName="bob", NewUserName="robert")
    assert api.client("sts", key).get_caller_identity()["Arn"] == user_arn("robert")
    assert api.client("ecs", key).list_clusters()


def test_a_session_token_of_a_user_is_the_user_but_not_for_iam(api: Api) -> None:
    key = make_user(api, "bob", managed=(ADMIN,))
    session = api.client("sts", key).get_session_token()["Credentials"]
    assert api.client("sts", session).get_caller_identity()["Arn"] == user_arn("bob")
    assert api.client("ecs", session).list_clusters()["clusterArns"] == []
    assert refusal(api.client("iam", session).list_users) == ("InvalidClientTokenId", INVALID)
    assert refusal(api.client("sts", session).get_session_token) == (
        "AccessDenied",
        "Cannot call GetSessionToken with session credentials",
    )


def test_roots_session_token_is_root(api: Api) -> None:
    session = api.client("sts").get_session_token()["Credentials"]
    assert api.client("sts", session).get_caller_identity()["Arn"] == KEY.principal_arn
    assert api.client("ecs", session).list_clusters()


def test_iam_and_sts_take_any_region(api: Api) -> None:
    for service, call in (("iam", "list_users"), ("sts", "get_caller_identity")):
        client = boto3.client(
            service,
            endpoint_url=ENDPOINT,
            region_name="eu-west-3",
            aws_access_key_id=KEY.access_key_id,
            aws_secret_access_key=KEY.secret_access_key,
        )
        client.meta.events.register("before-send", api._send)
        assert getattr(client, call)()


def test_a_bad_session_policy_is_refused(api: Api) -> None:
    bob = make_user(api, "bob")
    make_role(api, "app", principal={"AWS": user_arn("bob")})
    sts = api.client("sts", bob)
    request = {"RoleArn": role_arn("app"), "RoleSessionName": "work"}
    assert refusal(sts.assume_role, **request, Policy="{") == (
        "MalformedPolicyDocument",
        "Syntax errors in policy.",
    )
    too_long = policy({"Effect": "Allow", "Action": "a:b", "Resource": "x" * 2048})
    assert refusal(sts.assume_role, **request, Policy=too_long)[0] in (
        "PackedPolicyTooLarge",
        "ValidationError",
    )
    assert refusal(sts.assume_role, **{**request, "RoleSessionName": "a b"})[0] == "ValidationError"


def test_sessions_from_before_a_moment_are_revoked(api: Api, clock: Clock) -> None:
    """The policy that the console attaches for "Revoke active sessions"."""
    bob = make_user(api, "bob")
    make_role(api, "app", allow("*"), principal={"AWS": user_arn("bob")})
    old = assume(api, bob, "app")
    assert api.client("ecs", old).list_clusters()
    moment = datetime.fromtimestamp(clock() + 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    revoke = statement("Deny", "*", Condition={"DateLessThan": {"aws:TokenIssueTime": moment}})
    api.client("iam").put_role_policy(
        RoleName="app", PolicyName="AWSRevokeOlderSessions", PolicyDocument=policy(revoke)
    )
    code, message = refusal(api.client("ecs", old).list_clusters)
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in an identity-based policy")
    clock.later = 120.0
    assert api.client("ecs", assume(api, bob, "app")).list_clusters()
