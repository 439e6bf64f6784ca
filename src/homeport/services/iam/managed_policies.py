"""The customer's managed policies and their versions; AWS's are listed beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from homeport.domain.iam import Group, ManagedPolicy, PolicyVersion, Role, User
from homeport.identities.aws_managed import aws_managed_policies
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import POLICIES

from .documents import checked_managed_policy, encoded
from .entities import find_own_policy, find_policy
from .errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from .names import checked_name, checked_path, checked_policy_arn, new_tags
from .pages import in_path, page
from .views import attached_to, bounded_by, policy_view

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        CreatePolicyRequestTypeDef,
        CreatePolicyVersionRequestTypeDef,
        DeletePolicyRequestTypeDef,
        DeletePolicyVersionRequestTypeDef,
        GetPolicyRequestTypeDef,
        GetPolicyVersionRequestTypeDef,
        ListEntitiesForPolicyRequestTypeDef,
        ListPoliciesRequestTypeDef,
        ListPolicyVersionsRequestTypeDef,
        SetDefaultPolicyVersionRequestTypeDef,
    )

MAX_VERSIONS = 5
_MEMBERS = {User: "PolicyUsers", Group: "PolicyGroups", Role: "PolicyRoles"}


def create_policy(call: Call, request: CreatePolicyRequestTypeDef) -> Response:
    """A policy whose first version is v1."""
    name = checked_name(request["PolicyName"], "policyName")
    path = checked_path(request.get("Path"))
    if any(policy.name.lower() == name.lower() for policy in call.tx.all(POLICIES)):
        raise EntityAlreadyExists(
            f"A policy called {name} already exists. Duplicate names are not allowed."
        )
    document = checked_managed_policy(request["PolicyDocument"])
    policy = ManagedPolicy(
        arn=call.arns.iam(f"policy{path}{name}"),
        name=name,
        path=path,
        policy_id=call.ids.iam("ANPA"),
        created_at=call.now,
        updated_at=call.now,
        versions=(PolicyVersion("v1", document, call.now),),
        description=request.get("Description", ""),
        tags=new_tags(request.get("Tags")),
    )
    call.tx.put(POLICIES, policy)
    return {"Policy": policy_view(call.tx, policy)}


def get_policy(call: Call, request: GetPolicyRequestTypeDef) -> Response:
    """The policy without its document."""
    policy = find_policy(call, checked_policy_arn(request["PolicyArn"]))
    return {"Policy": policy_view(call.tx, policy)}


def list_policies(call: Call, request: ListPoliciesRequestTypeDef) -> Response:
    """The customer's (``Local``), AWS's, or both."""
    scope = request.get("Scope", "All")
    local = [] if scope == "AWS" else call.tx.all(POLICIES)
    aws = [] if scope == "Local" else list(aws_managed_policies().values())
    policies = [policy for policy in (*local, *aws) if in_path(policy.path, request)]
    if request.get("OnlyAttached"):
        policies = [policy for policy in policies if attached_to(call.tx, policy.arn)]
    if request.get("PolicyUsageFilter") == "PermissionsBoundary":
        policies = [policy for policy in policies if bounded_by(call.tx, policy.arn)]
    return page(
        "Policies",
        policies,
        lambda p: p.arn,
        lambda p: policy_view(call.tx, p, whole=False),
        request,
    )


def delete_policy(call: Call, request: DeletePolicyRequestTypeDef) -> Response:
    """A policy that nobody has, with its last version."""
    policy = find_own_policy(call, checked_policy_arn(request["PolicyArn"]))
    if attached_to(call.tx, policy.arn) or bounded_by(call.tx, policy.arn):
        raise DeleteConflict("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise DeleteConflict(
            "This policy has more than one version. Before you delete a policy, you must delete "
            "the policy's versions. The default version is deleted with the policy."
        )
    call.tx.delete(POLICIES, policy.arn)
    return {}


def create_policy_version(call: Call, request: CreatePolicyVersionRequestTypeDef) -> Response:
    """Another version, in force if it is to be the default."""
    policy = find_own_policy(call, checked_policy_arn(request["PolicyArn"]))
    document = checked_managed_policy(request["PolicyDocument"])
    if len(policy.versions) >= MAX_VERSIONS:
        raise LimitExceeded(
            f"A managed policy can have up to {MAX_VERSIONS} versions. Before you create a new "
            "version, you must delete an existing version."
        )
    number = policy.last_version + 1
    version = PolicyVersion(f"v{number}", document, call.now)
    default = version.version_id if request.get("SetAsDefault") else policy.default_version_id
    policy = replace(
        policy,
        versions=(*policy.versions, version),
        last_version=number,
        default_version_id=default,
        updated_at=call.now,
    )
    call.tx.put(POLICIES, policy)
    return {"PolicyVersion": _version_view(policy, version)}


def get_policy_version(call: Call, request: GetPolicyVersionRequestTypeDef) -> Response:
    """One version with its document."""
    policy = find_policy(call, checked_policy_arn(request["PolicyArn"]))
    version = _version(policy, request["VersionId"])
    document = {"Document": encoded(version.document)}
    return {"PolicyVersion": {**_version_view(policy, version), **document}}


def list_policy_versions(call: Call, request: ListPolicyVersionsRequestTypeDef) -> Response:
    """The versions, the newest first."""
    policy = find_policy(call, checked_policy_arn(request["PolicyArn"]))
    return page(
        "Versions",
        policy.versions,
        lambda v: f"{10**9 - int(v.version_id[1:]):010d}",
        lambda v: _version_view(policy, v),
        request,
    )


def set_default_policy_version(
    call: Call, request: SetDefaultPolicyVersionRequestTypeDef
) -> Response:
    """The version that is in force."""
    policy = find_own_policy(call, checked_policy_arn(request["PolicyArn"]))
    version = _version(policy, request["VersionId"])
    call.tx.put(
        POLICIES, replace(policy, default_version_id=version.version_id, updated_at=call.now)
    )
    return {}


def delete_policy_version(call: Call, request: DeletePolicyVersionRequestTypeDef) -> Response:
    """A version that is not in force."""
    policy = find_own_policy(call, checked_policy_arn(request["PolicyArn"]))
    version = _version(policy, request["VersionId"])
    if version.version_id == policy.default_version_id:
        raise DeleteConflict("Cannot delete the default version of a policy.")
    versions = tuple(v for v in policy.versions if v is not version)
    call.tx.put(POLICIES, replace(policy, versions=versions, updated_at=call.now))
    return {}


def list_entities_for_policy(call: Call, request: ListEntitiesForPolicyRequestTypeDef) -> Response:
    """Whom the policy is attached to, in one page."""
    policy = find_policy(call, checked_policy_arn(request["PolicyArn"]))
    usage = request.get("PolicyUsageFilter", "PermissionsPolicy")
    holders: list[User | Group | Role] = [
        *(attached_to if usage == "PermissionsPolicy" else bounded_by)(call.tx, policy.arn)
    ]
    wanted = request.get("EntityFilter")
    answer: dict[str, list[Response]] = {member: [] for member in _MEMBERS.values()}
    for holder in sorted(holders, key=lambda h: h.name):
        kind = type(holder).__name__
        if wanted in (None, kind) and in_path(holder.path, request):
            answer[_MEMBERS[type(holder)]].append(_entity(kind, holder))
    return {**answer, "IsTruncated": False}


def _entity(kind: str, holder: User | Group | Role) -> Response:
    match holder:
        case User():
            identifier = holder.user_id
        case Group():
            identifier = holder.group_id
        case Role():
            identifier = holder.role_id
    return {f"{kind}Name": holder.name, f"{kind}Id": identifier}


def _version(policy: ManagedPolicy, version_id: str) -> PolicyVersion:
    version = policy.version(version_id)
    if version is None:
        raise NoSuchEntity(
            f"Policy {policy.arn} version {version_id} does not exist or is not attachable."
        )
    return version


def _version_view(policy: ManagedPolicy, version: PolicyVersion) -> Response:
    return {
        "VersionId": version.version_id,
        "IsDefaultVersion": version.version_id == policy.default_version_id,
        "CreateDate": version.created_at,
    }


OPERATIONS: dict[str, Handler] = {
    "CreatePolicy": create_policy,
    "GetPolicy": get_policy,
    "ListPolicies": list_policies,
    "DeletePolicy": delete_policy,
    "CreatePolicyVersion": create_policy_version,
    "GetPolicyVersion": get_policy_version,
    "ListPolicyVersions": list_policy_versions,
    "SetDefaultPolicyVersion": set_default_policy_version,
    "DeletePolicyVersion": delete_policy_version,
    "ListEntitiesForPolicy": list_entities_for_policy,
}
