"""The authorization step: may this principal do this?

Root may do everything. The local agent has a fixed list. Users and roles' sessions may do what
their policies allow (``identities``, ``permissions``). A request that needs several things needs
each of them; the first that is refused is the one that is named.
"""

from __future__ import annotations

from typing import Protocol

from homeport.decide.policy import Caller, Question, Trust
from homeport.domain.iam import Role, User
from homeport.identities import Permissions, permissions_of, role_by_arn, role_by_name
from homeport.identities.roles import trust
from homeport.services.call import Principal
from homeport.store import Transaction
from homeport.store.schema import CLUSTERS, USERS
from homeport.wire.errors import ApiError

from .permissions import Asked, Need, RequestContext, needs_of

# What an agent must know of the VPC to route and guard the network interfaces of tasks. On AWS an
# interface is attached to the host and guarded outside it, so no managed policy allows these
# reads: whoever may register container instances may do them as well, unless a policy denies it.
AGENT_READS = frozenset(
    {
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    }
)
# Of the managed policy AmazonEC2ContainerServiceforEC2Role, what the local agent needs here.
AGENT_ACTIONS = AGENT_READS | frozenset(
    {
        "ecs:CreateCluster",
        "ecs:DeregisterContainerInstance",
        "ecs:DiscoverPollEndpoint",
        "ecs:ListTagsForResource",
        "ecs:Poll",
        "ecs:RegisterContainerInstance",
        "ecs:StartTelemetrySession",
        "ecs:SubmitAttachmentStateChanges",
        "ecs:SubmitContainerStateChange",
        "ecs:SubmitTaskStateChange",
        "ecs:UpdateContainerInstancesState",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    }
)
# Nobody needs a permission to know who they are, or for a session of their own.
FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})


class Authorizer(Protocol):
    """One step in the request chain."""

    def check(self, service: str, asked: Asked) -> None:
        """Raise the service's access-denied error unless the principal may do this."""


class PolicyAuthorizer:
    """Decides by the kind of principal and by policies."""

    def check(self, service: str, asked: Asked) -> None:
        """Root: everything. The local agent: its list. Others: what their policies allow."""
        principal = asked.call.principal
        action = f"{asked.prefix}:{asked.operation}"
        _refuse_session_token(principal, asked)
        if principal.kind == "root" or action in FREE:
            return
        if principal.kind == "agent":
            if action not in AGENT_ACTIONS:
                raise denied(asked, Need(action, "*", {}), _no_policy(action))
            return
        holder = _holder(asked.call.tx, principal)
        permissions = _permissions(asked.call.tx, principal, holder)
        if action == "sts:AssumeRole":
            _check_assume_role(service, asked, holder, permissions)
            return
        for need in needs_of(service, asked):
            _check(asked, need, permissions)


def _check(asked: Asked, need: Need, permissions: Permissions) -> None:
    question = Question(need.action, need.resource, RequestContext(asked, need))
    refusal = permissions.refusal(question)
    if refusal is None:
        return
    if need.action in AGENT_READS and not refusal.explicit and _may_be_agent(asked, permissions):
        return
    raise denied(asked, need, refusal.reason(need.action))


def _may_be_agent(asked: Asked, permissions: Permissions) -> bool:
    clusters = [cluster.arn for cluster in asked.call.tx.all(CLUSTERS)]
    need = Need("ecs:RegisterContainerInstance", "*", {})
    context = RequestContext(asked, need)
    return any(
        permissions.refusal(Question(need.action, resource, context)) is None
        for resource in ("*", *clusters)
    )


def _check_assume_role(
    service: str, asked: Asked, holder: User | Role, permissions: Permissions
) -> None:
    """The role's trust policy and the caller's own policies.

    A trust policy that names the caller is enough, one that names the account leaves it to the
    caller's policies. A role that there is not is refused as one that trusts nobody is.
    """
    (need,) = needs_of(service, asked)
    question = Question(need.action, need.resource, RequestContext(asked, need))
    refusal = permissions.refusal(question)
    if refusal is not None and refusal.explicit:
        raise denied(asked, need, refusal.reason(need.action))
    role = role_by_arn(asked.call.tx, need.resource)
    principal = asked.call.principal
    caller = Caller(principal.account_id, tuple({principal.arn, holder.arn}))
    says = trust(role, caller, question.context) if role else Trust.IMPLICIT_DENY
    match says:
        case Trust.EXPLICIT_DENY:
            raise denied(asked, need, "with an explicit deny in the role trust policy")
        case Trust.IMPLICIT_DENY:
            reason = f"because no role trust policy allows the {need.action} action"
            raise denied(asked, need, reason)
        case Trust.ALLOW:
            refusal = None if isinstance(holder, User) else permissions.bounds().refusal(question)
        case Trust.DELEGATED:
            pass
    if refusal is not None:
        raise denied(asked, need, refusal.reason(need.action))


def _holder(tx: Transaction, principal: Principal) -> User | Role:
    """Whose policies decide; the authentication step has found it a moment ago."""
    holder: User | Role | None
    if principal.kind == "role":
        holder = role_by_name(tx, principal.name)
    else:
        holder = next(iter(tx.find(USERS, "id", principal.user_id)), None)
    assert holder is not None
    return holder


def _permissions(tx: Transaction, principal: Principal, holder: User | Role) -> Permissions:
    session = principal.session
    if session is None:
        return permissions_of(tx, holder)
    return permissions_of(tx, holder, session.session_policies, session.session_policy_arns)


def _refuse_session_token(principal: Principal, asked: Asked) -> None:
    """What GetSessionToken gives is not good for IAM, nor for STS but for who one is and for
    roles. Source: "GetSessionToken", STS API reference."""
    if principal.session is None or principal.kind == "role":
        return
    allowed = asked.operation in ("GetCallerIdentity", "AssumeRole", "GetSessionToken")
    if asked.prefix == "iam" or (asked.prefix == "sts" and not allowed):
        text = "The security token included in the request is invalid."
        raise ApiError("InvalidClientTokenId", text, 403)


def _no_policy(action: str) -> str:
    return f"because no identity-based policy allows the {action} action"


def denied(asked: Asked, need: Need, reason: str) -> ApiError:
    """AWS's text of a refusal. EC2 and S3 have forms of their own."""
    who = f"User: {asked.call.principal.arn} is not authorized to perform: {need.action}"
    unnamed = need.resource == "*"
    match asked.prefix:
        case "ec2":
            where = "" if unnamed else f" on resource: {need.resource}"
            text = f"You are not authorized to perform this operation. {who}{where} {reason}"
            return ApiError("UnauthorizedOperation", text, 403)
        case "s3":
            where = "" if unnamed else f' on resource: "{need.resource}"'
            return ApiError("AccessDenied", f"{who}{where} {reason}", 403)
    text = f"{who} on resource: {need.resource} {reason}"
    if asked.prefix in ("elasticloadbalancing", "iam", "sts"):
        return ApiError("AccessDenied", text, 403)
    return ApiError("AccessDeniedException", text, 400)
