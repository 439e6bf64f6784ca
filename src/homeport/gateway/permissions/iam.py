"""IAM and STS: entities by name (with the path they have, or are to have), policies by ARN."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from homeport.domain.iam import name_key
from homeport.services.iam.service_linked_roles import SERVICE_LINKED
from homeport.store.schema import GROUPS, INSTANCE_PROFILES, ROLES, USERS

from .passed_roles import of_instance_profile
from .rule import Asked, Resources, Rule, arns_in


def _user(asked: Asked) -> list[str]:
    name = asked.document.get("UserName")
    if not name:  # the caller itself
        kind = asked.call.principal.kind
        return [asked.call.principal.arn if kind == "user" else asked.call.arns.iam("user/*")]
    known = asked.call.tx.get(USERS, name_key(name))
    return [known.arn if known else _made(asked, "user", name)]


def _group(asked: Asked) -> list[str]:
    name = asked.document.get("GroupName", "")
    known = asked.call.tx.get(GROUPS, name_key(name))
    return [known.arn if known else _made(asked, "group", name)]


def _role(asked: Asked) -> list[str]:
    name = asked.document.get("RoleName", "")
    known = asked.call.tx.get(ROLES, name_key(name))
    return [known.arn if known else _made(asked, "role", name)]


def _profile(asked: Asked) -> list[str]:
    name = asked.document.get("InstanceProfileName", "")
    known = asked.call.tx.get(INSTANCE_PROFILES, name_key(name))
    return [known.arn if known else _made(asked, "instance-profile", name)]


def _policy(asked: Asked) -> list[str]:
    return [_made(asked, "policy", asked.document.get("PolicyName", ""))]


def _made(asked: Asked, kind: str, name: str) -> str:
    return asked.call.arns.iam(f"{kind}{asked.document.get('Path') or '/'}{name}")


def _renamed(kind: str, own: Resources) -> Resources:
    """A change of name or path needs the permission on both."""

    def resources(asked: Asked) -> Iterable[str]:
        (before,) = own(asked)
        path, _, name = before.partition(f":{kind}")[2].rpartition("/")
        path = asked.document.get("NewPath") or f"{path}/"
        name = asked.document.get(f"New{kind.capitalize()}Name") or name
        return dict.fromkeys((before, asked.call.arns.iam(f"{kind}{path}{name}")))

    return resources


def _linked(asked: Asked) -> list[str]:
    service = asked.document.get("AWSServiceName", "")
    name, _ = SERVICE_LINKED.get(service, ("*", ""))
    return [asked.call.arns.iam(f"role/aws-service-role/{service}/{name}")]


def _service_name(asked: Asked) -> Mapping[str, str | None]:
    return {"iam:awsservicename": asked.document.get("AWSServiceName")}


def _listed(kind: str) -> Resources:
    return lambda asked: [asked.call.arns.iam(f"{kind}{asked.document.get('PathPrefix') or '/'}")]


def _policies_listed(asked: Asked) -> list[str]:
    return [f"policy path {asked.document.get('PathPrefix') or '/'}"]


def _policy_key(asked: Asked) -> Mapping[str, str | None]:
    return {"iam:policyarn": asked.document.get("PolicyArn")}


def _boundary_key(asked: Asked) -> Mapping[str, str | None]:
    return {"iam:permissionsboundary": asked.document.get("PermissionsBoundary")}


def _session_keys(asked: Asked) -> Mapping[str, str | None]:
    return {
        "sts:externalid": asked.document.get("ExternalId"),
        "sts:rolesessionname": asked.document.get("RoleSessionName"),
    }


_ON_USER, _ON_GROUP, _ON_ROLE, _ON_PROFILE = Rule(_user), Rule(_group), Rule(_role), Rule(_profile)
_ON_POLICY = Rule(arns_in("PolicyArn"))
_HOLDERS = (("User", _user), ("Group", _group), ("Role", _role))

IAM_RULES: Mapping[str, Rule] = {
    "CreateUser": Rule(_user, keys=_boundary_key, tagging="TagUser"),
    "UpdateUser": Rule(_renamed("user", _user)),
    "PutUserPermissionsBoundary": Rule(_user, keys=_boundary_key),
    "ListUsers": Rule(_listed("user")),
    **dict.fromkeys(
        ("GetUser", "DeleteUser", "DeleteUserPermissionsBoundary", "ListGroupsForUser"), _ON_USER
    ),
    **dict.fromkeys(
        ("CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "DeleteAccessKey"), _ON_USER
    ),
    "UpdateGroup": Rule(_renamed("group", _group)),
    "ListGroups": Rule(_listed("group")),
    **dict.fromkeys(
        ("CreateGroup", "GetGroup", "DeleteGroup", "AddUserToGroup", "RemoveUserFromGroup"),
        _ON_GROUP,
    ),
    "CreateRole": Rule(_role, keys=_boundary_key, tagging="TagRole"),
    "PutRolePermissionsBoundary": Rule(_role, keys=_boundary_key),
    "ListRoles": Rule(_listed("role")),
    **dict.fromkeys(
        ("GetRole", "UpdateRole", "UpdateRoleDescription", "UpdateAssumeRolePolicy", "DeleteRole"),
        _ON_ROLE,
    ),
    **dict.fromkeys(
        ("DeleteRolePermissionsBoundary", "DeleteServiceLinkedRole"),
        _ON_ROLE,
    ),
    "ListInstanceProfilesForRole": _ON_ROLE,
    "CreateServiceLinkedRole": Rule(_linked, keys=_service_name),
    "CreatePolicy": Rule(_policy, tagging="TagPolicy"),
    "ListPolicies": Rule(_policies_listed),
    **dict.fromkeys(
        ("GetPolicy", "DeletePolicy", "CreatePolicyVersion", "GetPolicyVersion"), _ON_POLICY
    ),
    **dict.fromkeys(
        ("ListPolicyVersions", "SetDefaultPolicyVersion", "DeletePolicyVersion"), _ON_POLICY
    ),
    "ListEntitiesForPolicy": _ON_POLICY,
    "ListInstanceProfiles": Rule(_listed("instance-profile")),
    "CreateInstanceProfile": Rule(_profile, tagging="TagInstanceProfile"),
    **dict.fromkeys(
        ("GetInstanceProfile", "DeleteInstanceProfile", "RemoveRoleFromInstanceProfile"),
        _ON_PROFILE,
    ),
    "AddRoleToInstanceProfile": Rule(_profile, also=of_instance_profile),
    **{
        f"{verb}{kind}Policy": Rule(find)
        for kind, find in _HOLDERS
        for verb in ("Put", "Get", "Delete")
    },
    **{
        f"{verb}{kind}Policy": Rule(find, keys=_policy_key)
        for kind, find in _HOLDERS
        for verb in ("Attach", "Detach")
    },
    **{
        f"{verb}{kind}Policies": Rule(find)
        for kind, find in _HOLDERS
        for verb in ("List", "ListAttached")
    },
    **{
        name: Rule(find)
        for kind, find in (
            ("User", _user),
            ("Role", _role),
            ("InstanceProfile", _profile),
            ("Policy", arns_in("PolicyArn")),
        )
        for name in (f"Tag{kind}", f"Untag{kind}", f"List{kind}Tags")
    },
    "SimulatePrincipalPolicy": Rule(arns_in("PolicySourceArn")),
    "SimulateCustomPolicy": Rule(),
    "GetAccountSummary": Rule(),
}

STS_RULES: Mapping[str, Rule] = {"AssumeRole": Rule(arns_in("RoleArn"), keys=_session_keys)}
