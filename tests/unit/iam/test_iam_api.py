"""IAM through boto3: what is made is there, what is wrong is refused in IAM's words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from api_client import ACCOUNT, Api, refusal
from iam_world import ADMIN, ECS_FULL, TASKS, allow, make_role, make_user, role_arn, trust, user_arn

from homeport.store.schema import ACCESS_KEYS

MINE = f"arn:aws:iam::{ACCOUNT}:policy/mine"


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def iam(api: Api) -> Any:
    return api.client("iam")


# -- users -------------------------------------------------------------------------------------


def test_a_user_is_made_shown_renamed_and_deleted(iam: Any) -> None:
    made = iam.create_user(UserName="Bob", Path="/team/", Tags=[{"Key": "a", "Value": "b"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/Bob"
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", made["UserId"])
    assert iam.get_user(UserName="Bob")["User"] == made
    assert [u["UserName"] for u in iam.list_users(PathPrefix="/team/")["Users"]] == ["Bob"]
    assert iam.list_users(PathPrefix="/other/")["Users"] == []
    iam.update_user(UserName="Bob", NewUserName="robert", NewPath="/")
    renamed = iam.get_user(UserName="robert")["User"]
    assert (renamed["Arn"], renamed["UserId"]) == (user_arn("robert"), made["UserId"])
    iam.delete_user(UserName="robert")
    assert refusal(iam.get_user, UserName="robert") == (
        "NoSuchEntity",
        "The user with name robert cannot be found.",
    )


def test_names_are_taken_whatever_their_case(iam: Any) -> None:
    iam.create_user(UserName="Bob")
    assert refusal(iam.create_user, UserName="bob") == (
        "EntityAlreadyExists",
        "User with name bob already exists.",
    )
    iam.create_group(GroupName="Devs")
    assert refusal(iam.create_group, GroupName="devs")[0] == "EntityAlreadyExists"
    iam.create_role(RoleName="App", AssumeRolePolicyDocument=trust(TASKS))
    assert refusal(iam.create_role, RoleName="app", AssumeRolePolicyDocument=trust(TASKS)) == (
        "EntityAlreadyExists",
        "Role with name app already exists.",
    )


@pytest.mark.parametrize("name", ["a b", "a/b", "ä", "a:b"])
def test_a_bad_name_is_refused(iam: Any, name: str) -> None:
    assert refusal(iam.create_user, UserName=name) == (
        "ValidationError",
        "The specified value for userName is invalid. It must contain only alphanumeric "
        "characters and/or the following: +=,.@_-",
    )


@pytest.mark.parametrize("path", ["x", "/x", "x/", "//", "/a b/"])
def test_a_bad_path_is_refused(iam: Any, path: str) -> None:
    code, message = refusal(iam.create_user, UserName="bob", Path=path)
    assert code == "ValidationError"
    assert "path" in message
    assert iam.list_users()["Users"] == []


def test_what_still_belongs_to_a_user_keeps_it(iam: Any) -> None:
    def kept() -> str:
        code, message = refusal(iam.delete_user, UserName="bob")
        assert code == "DeleteConflict"
        return message

    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    assert kept() == "Cannot delete entity, must delete access keys first."
    iam.delete_access_key(UserName="bob", AccessKeyId=key)
    iam.attach_user_policy(UserName="bob", PolicyArn=ADMIN)
    assert kept() == "Cannot delete entity, must detach all policies first."
    iam.detach_user_policy(UserName="bob", PolicyArn=ADMIN)
    iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=allow("*"))
    assert kept() == "Cannot delete entity, must delete policies first."
    iam.delete_user_policy(UserName="bob", PolicyName="p")
    iam.create_group(GroupName="devs")
    iam.add_user_to_group(UserName="bob", GroupName="devs")
    assert kept() == "Cannot delete entity, must remove users from group first."
    iam.remove_user_from_group(UserName="bob", GroupName="devs")
    iam.delete_user(UserName="bob")


def test_a_secret_is_shown_once(api: Api, iam: Any) -> None:
    key = make_user(api, "bob")
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key["AccessKeyId"])
    assert len(key["SecretAccessKey"]) == 40
    listed = iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]
    assert [(k["AccessKeyId"], k["Status"]) for k in listed] == [(key["AccessKeyId"], "Active")]
    assert key["SecretAccessKey"] not in str(listed)
    iam.create_access_key(UserName="bob")
    assert refusal(iam.create_access_key, UserName="bob") == (
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
    )
    assert (
        api.client("sts").get_access_key_info(AccessKeyId=key["AccessKeyId"])["Account"] == ACCOUNT
    )


def test_a_secret_is_not_readable_where_it_is_stored(api: Api) -> None:
    key = make_user(api, "bob")
    with api.store.transaction() as tx:
        stored = tx.get(ACCESS_KEYS, key["AccessKeyId"])
    assert key["SecretAccessKey"].encode() not in msgspec.json.encode(stored)
    assert key["SecretAccessKey"] not in repr(stored)
    assert api.client("sts", key).get_caller_identity()["Arn"] == user_arn("bob")


def test_nobody_deletes_a_key_in_anothers_name(api: Api, iam: Any) -> None:
    key = make_user(api, "bob")["AccessKeyId"]
    iam.create_user(UserName="eve")
    assert refusal(iam.delete_access_key, UserName="eve", AccessKeyId=key) == (
        "NoSuchEntity",
        f"The Access Key with id {key} cannot be found.",
    )


def test_who_i_am_to_iam(api: Api, iam: Any) -> None:
    assert iam.get_user()["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    bob = api.client("iam", make_user(api, "bob", allow("iam:GetUser")))
    assert bob.get_user()["User"]["UserName"] == "bob"


# -- groups ------------------------------------------------------------------------------------


def test_a_group_keeps_its_members_when_it_is_renamed(iam: Any) -> None:
    iam.create_group(GroupName="devs")
    for name in ("b", "a"):
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="devs", UserName=name)
    iam.update_group(GroupName="devs", NewGroupName="ops")
    assert [u["UserName"] for u in iam.get_group(GroupName="ops")["Users"]] == ["a", "b"]
    assert iam.list_groups_for_user(UserName="a")["Groups"][0]["GroupName"] == "ops"
    assert refusal(iam.delete_group, GroupName="ops")[0] == "DeleteConflict"
    assert refusal(iam.get_group, GroupName="devs")[0] == "NoSuchEntity"


# -- roles -------------------------------------------------------------------------------------


def test_a_role_is_shown_with_the_trust_policy_it_was_given(iam: Any) -> None:
    made = iam.create_role(
        RoleName="app",
        Path="/team/",
        AssumeRolePolicyDocument=trust(TASKS),
        Description="the app",
        MaxSessionDuration=7200,
        Tags=[{"Key": "team", "Value": "a"}],
    )["Role"]
    assert made["Arn"] == role_arn("team/app")
    assert re.fullmatch(r"AROA[A-Z2-7]{17}", made["RoleId"])
    assert made["AssumeRolePolicyDocument"] == json.loads(trust(TASKS))
    assert iam.get_role(RoleName="app")["Role"] == made
    ec2 = trust({"Service": "ec2.amazonaws.com"})
    iam.update_assume_role_policy(RoleName="app", PolicyDocument=ec2)
    iam.update_role(RoleName="app", Description="", MaxSessionDuration=3600)
    changed = iam.get_role(RoleName="app")["Role"]
    assert changed["AssumeRolePolicyDocument"] == json.loads(ec2)
    assert changed["MaxSessionDuration"] == 3600
    iam.delete_role(RoleName="app")
    assert refusal(iam.get_role, RoleName="app") == (
        "NoSuchEntity",
        "The role with name app cannot be found.",
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "Syntax errors in policy."),
        ("{}", "Syntax errors in policy."),
        (allow("sts:AssumeRole"), "Has prohibited field Resource"),
        (
            trust({"AWS": user_arn("nobody")}),
            f'Invalid principal in policy: "AWS":"{user_arn("nobody")}"',
        ),
        (trust({"AWS": "bob"}), 'Invalid principal in policy: "AWS":"bob"'),
        (trust({"Service": "tasks"}), 'Invalid principal in policy: "SERVICE":"tasks"'),
    ],
)
def test_a_trust_policy_that_can_not_be_is_refused(iam: Any, document: str, message: str) -> None:
    refused = ("MalformedPolicyDocument", message)
    assert refusal(iam.create_role, RoleName="x", AssumeRolePolicyDocument=document) == refused
    assert iam.list_roles()["Roles"] == []
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust(TASKS))
    assert refusal(iam.update_assume_role_policy, RoleName="app", PolicyDocument=document) == (
        refused
    )


def test_a_service_linked_role_is_its_services(iam: Any) -> None:
    role = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    path = "aws-service-role/ecs.amazonaws.com"
    assert role["Arn"] == role_arn(f"{path}/AWSServiceRoleForECS")
    name = role["RoleName"]
    assert refusal(iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com") == (
        "InvalidInput",
        "Service role name AWSServiceRoleForECS has been taken in this account, please try a "
        "different suffix.",
    )
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [p["PolicyName"] for p in attached] == ["AmazonECSServiceRolePolicy"]
    assert refusal(iam.delete_role, RoleName=name) == (
        "UnmodifiableEntity",
        "Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role "
        "is only modifiable by AWS",
    )
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    status = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"]
    assert status == "SUCCEEDED"
    assert refusal(iam.get_role, RoleName=name)[0] == "NoSuchEntity"


def test_a_role_stays_while_something_belongs_to_it(api: Api, iam: Any) -> None:
    make_role(api, "host", allow("*"), principal={"Service": "ec2.amazonaws.com"})
    iam.attach_role_policy(RoleName="host", PolicyArn=ECS_FULL)
    iam.create_instance_profile(InstanceProfileName="host")
    iam.add_role_to_instance_profile(InstanceProfileName="host", RoleName="host")
    profiles = iam.list_instance_profiles_for_role(RoleName="host")["InstanceProfiles"]
    assert profiles[0]["Roles"][0]["Arn"] == role_arn("host")
    messages = []
    for step in (
        lambda: iam.remove_role_from_instance_profile(InstanceProfileName="host", RoleName="host"),
        lambda: iam.detach_role_policy(RoleName="host", PolicyArn=ECS_FULL),
        lambda: iam.delete_role_policy(RoleName="host", PolicyName="p0"),
    ):
        code, message = refusal(iam.delete_role, RoleName="host")
        assert code == "DeleteConflict"
        messages.append(message)
        step()
    assert messages == [
        "Cannot delete entity, must remove roles from instance profile first.",
        "Cannot delete entity, must detach all policies first.",
        "Cannot delete entity, must delete policies first.",
    ]
    iam.delete_role(RoleName="host")
    iam.delete_instance_profile(InstanceProfileName="host")


# -- policies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_inline_and_attached_policies_are_shown_and_taken_away(
    api: Api, iam: Any, kind: str
) -> None:
    if kind == "role":
        make_role(api, "x")
    else:
        getattr(iam, f"create_{kind}")(**{f"{kind.capitalize()}Name": "x"})
    named = {f"{kind.capitalize()}Name": "x"}
    getattr(iam, f"put_{kind}_policy")(**named, PolicyName="p", PolicyDocument=allow("ecs:*"))
    got = getattr(iam, f"get_{kind}_policy")(**named, PolicyName="p")
    assert got["PolicyDocument"] == json.loads(allow("ecs:*"))
    assert getattr(iam, f"list_{kind}_policies")(**named)["PolicyNames"] == ["p"]
    getattr(iam, f"delete_{kind}_policy")(**named, PolicyName="p")
    assert refusal(getattr(iam, f"get_{kind}_policy"), **named, PolicyName="p") == (
        "NoSuchEntity",
        f"The {kind} policy with name p cannot be found.",
    )
    for _ in range(2):
        getattr(iam, f"attach_{kind}_policy")(**named, PolicyArn=ECS_FULL)
    attached = getattr(iam, f"list_attached_{kind}_policies")(**named)["AttachedPolicies"]
    assert [p["PolicyArn"] for p in attached] == [ECS_FULL]
    assert iam.get_policy(PolicyArn=ECS_FULL)["Policy"]["AttachmentCount"] == 1
    entities = iam.list_entities_for_policy(PolicyArn=ECS_FULL)
    members = (entities["PolicyUsers"], entities["PolicyGroups"], entities["PolicyRoles"])
    assert [len(m) for m in members] == [kind == "user", kind == "group", kind == "role"]
    getattr(iam, f"detach_{kind}_policy")(**named, PolicyArn=ECS_FULL)
    assert refusal(getattr(iam, f"detach_{kind}_policy"), **named, PolicyArn=ECS_FULL) == (
        "NoSuchEntity",
        f"Policy {ECS_FULL} was not found.",
    )


def test_a_managed_policy_has_versions_of_which_one_is_in_force(iam: Any) -> None:
    made = iam.create_policy(PolicyName="mine", PolicyDocument=allow("ecs:*"))["Policy"]
    assert (made["Arn"], made["DefaultVersionId"]) == (MINE, "v1")
    for number in range(2, 6):
        version = iam.create_policy_version(
            PolicyArn=MINE, PolicyDocument=allow(f"ecs:{number}"), SetAsDefault=number == 3
        )["PolicyVersion"]
        assert (version["VersionId"], version["IsDefaultVersion"]) == (f"v{number}", number == 3)
    code, _ = refusal(iam.create_policy_version, PolicyArn=MINE, PolicyDocument=allow("*"))
    assert code == "LimitExceeded"
    shown = iam.get_policy_version(PolicyArn=MINE, VersionId="v3")["PolicyVersion"]
    assert shown["Document"] == json.loads(allow("ecs:3"))
    assert refusal(iam.delete_policy_version, PolicyArn=MINE, VersionId="v3") == (
        "DeleteConflict",
        "Cannot delete the default version of a policy.",
    )
    iam.set_default_policy_version(PolicyArn=MINE, VersionId="v1")
    assert refusal(iam.delete_policy, PolicyArn=MINE)[0] == "DeleteConflict"
    for number in range(2, 6):
        iam.delete_policy_version(PolicyArn=MINE, VersionId=f"v{number}")
    iam.delete_policy(PolicyArn=MINE)
    assert refusal(iam.get_policy, PolicyArn=MINE) == (
        "NoSuchEntity",
        f"Policy {MINE} was not found.",
    )


def test_awss_policies_are_listed_and_can_not_be_changed(iam: Any) -> None:
    names = {
        policy["PolicyName"]
        for page in iam.get_paginator("list_policies").paginate(Scope="AWS", MaxItems=7)
        for policy in page["Policies"]
    }
    assert {"AdministratorAccess", "AmazonECSTaskExecutionRolePolicy"} <= names
    assert iam.list_policies(Scope="Local")["Policies"] == []
    version = iam.get_policy(PolicyArn=ECS_FULL)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=ECS_FULL, VersionId=version)["PolicyVersion"]
    assert document["Document"]["Statement"]
    assert refusal(iam.create_policy_version, PolicyArn=ECS_FULL, PolicyDocument=allow("*"))[0] == (
        "AccessDenied"
    )
    assert refusal(iam.delete_policy, PolicyArn=ECS_FULL)[0] == "AccessDenied"


def test_a_policy_that_somebody_has_is_not_deleted(iam: Any) -> None:
    iam.create_user(UserName="bob")
    iam.create_policy(PolicyName="mine", PolicyDocument=allow("ecs:*"))
    conflict = ("DeleteConflict", "Cannot delete a policy attached to entities.")
    iam.attach_user_policy(UserName="bob", PolicyArn=MINE)
    assert refusal(iam.delete_policy, PolicyArn=MINE) == conflict
    iam.detach_user_policy(UserName="bob", PolicyArn=MINE)
    iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=MINE)
    assert refusal(iam.delete_policy, PolicyArn=MINE) == conflict
    iam.delete_user_permissions_boundary(UserName="bob")
    iam.delete_policy(PolicyArn=MINE)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("not json", "Syntax errors in policy."),
        (json.dumps({"Statement": [{"Effect": "Allow", "Resource": "*"}]}), "must contain actions"),
        (json.dumps({"Statement": [{"Effect": "Allow", "Action": "a:b"}]}), "contain resources"),
        (trust(TASKS), "Has prohibited field Principal"),
    ],
)
def test_what_is_no_policy_is_not_stored(iam: Any, document: str, message: str) -> None:
    iam.create_user(UserName="bob")
    for call, named in (
        (iam.create_policy, {"PolicyName": "mine"}),
        (iam.put_user_policy, {"PolicyName": "mine", "UserName": "bob"}),
    ):
        code, text = refusal(call, **named, PolicyDocument=document)
        assert code == "MalformedPolicyDocument"
        assert message in text
    assert iam.list_policies(Scope="Local")["Policies"] == []
    assert iam.list_user_policies(UserName="bob")["PolicyNames"] == []


def test_quotas_are_kept(api: Api, iam: Any) -> None:
    iam.create_user(UserName="bob")
    big = allow("ecs:*", "x" * 1950)
    iam.put_user_policy(UserName="bob", PolicyName="one", PolicyDocument=big)
    assert refusal(
        iam.put_user_policy, UserName="bob", PolicyName="two", PolicyDocument=allow("a:b")
    ) == ("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user bob")
    spaces = allow("ecs:*").replace("{", "{" + " " * 3000)
    iam.put_user_policy(UserName="bob", PolicyName="one", PolicyDocument=spaces)
    assert refusal(
        iam.create_policy, PolicyName="mine", PolicyDocument=allow("a:b", "x" * 6144)
    ) == ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
    for policy in iam.list_policies(Scope="AWS", MaxItems=10)["Policies"]:
        iam.attach_user_policy(UserName="bob", PolicyArn=policy["Arn"])
    iam.create_policy(PolicyName="mine", PolicyDocument=allow("a:b"))
    assert refusal(iam.attach_user_policy, UserName="bob", PolicyArn=MINE) == (
        "LimitExceeded",
        "Cannot exceed quota for PoliciesPerUser: 10",
    )


# -- the rest ----------------------------------------------------------------------------------


def test_tags(api: Api, iam: Any) -> None:
    make_role(api, "app")
    iam.tag_role(RoleName="app", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.tag_role(RoleName="app", Tags=[{"Key": "A", "Value": "3"}])
    iam.untag_role(RoleName="app", TagKeys=["B"])
    assert iam.list_role_tags(RoleName="app")["Tags"] == [{"Key": "A", "Value": "3"}]
    assert refusal(
        iam.tag_role,
        RoleName="app",
        Tags=[{"Key": "x", "Value": ""}, {"Key": "X", "Value": ""}],
    ) == (
        "InvalidInput",
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    )


def test_lists_are_paged(iam: Any) -> None:
    for number in range(5):
        iam.create_user(UserName=f"u{number}")
    first = iam.list_users(MaxItems=2)
    assert first["IsTruncated"] is True
    pages = iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 2})
    names = [user["UserName"] for page in pages for user in page["Users"]]
    assert names == [f"u{number}" for number in range(5)]
    assert refusal(iam.list_users, Marker="nonsense")[0] == "ValidationError"


def test_a_simulation_says_what_would_be(api: Api, iam: Any) -> None:
    make_user(api, "bob", allow("ecs:Describe*"))
    results = iam.simulate_principal_policy(
        PolicySourceArn=user_arn("bob"),
        ActionNames=["ecs:DescribeTasks", "ecs:RunTask"],
        PolicyInputList=[allow("iam:*")],
    )["EvaluationResults"]
    assert [(r["EvalActionName"], r["EvalDecision"]) for r in results] == [
        ("ecs:DescribeTasks", "allowed"),
        ("ecs:RunTask", "implicitDeny"),
    ]


def test_the_account_in_numbers(api: Api, iam: Any) -> None:
    make_user(api, "bob")
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary["Users"] == 1
    assert summary["AccessKeysPerUserQuota"] == 2
