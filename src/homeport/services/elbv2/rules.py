"""Listener rules. The default rule lives in its listener and is shown with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from homeport.domain.load_balancing import Listener, Rule
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import LISTENERS, RULES
from homeport.wire.paging import paginate

from . import actions, conditions, resolve
from .errors import (
    OperationNotPermitted,
    PriorityInUse,
    TooManyRules,
    ValidationError,
)
from .tags import parse_tags

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import (
        CreateRuleInputTypeDef,
        DeleteRuleInputTypeDef,
        DescribeRulesInputTypeDef,
        ModifyRuleInputTypeDef,
        SetRulePrioritiesInputTypeDef,
    )

MAX_RULES = 100
MAX_PAGE = 400
LAST_PRIORITY = 50000


def default_rule_arn(listener: Listener) -> str:
    """The ARN of a listener's default rule: derived, because the rule has no record."""
    listener_id = listener.arn.rsplit("/", 1)[-1]
    return f"{listener.arn.replace(':listener/', ':listener-rule/', 1)}/{listener_id[::-1]}"


def create_rule(call: Call, request: CreateRuleInputTypeDef) -> Response:
    """Adds a rule to a listener."""
    listener = resolve.listener(call, request["ListenerArn"])
    priority = request["Priority"]
    _check_priority(priority)
    existing = call.tx.find(RULES, "listener", listener.arn)
    if any(rule.priority == priority for rule in existing):
        raise PriorityInUse
    load_balancer = resolve.load_balancer(call, listener.load_balancer_arn)
    listeners = resolve.listeners_of(call.tx, load_balancer)
    if sum(len(call.tx.find(RULES, "listener", each.arn)) for each in listeners) >= MAX_RULES:
        raise TooManyRules(f"A load balancer has at most {MAX_RULES} rules")
    prefix = listener.arn.replace(":listener/", ":listener-rule/", 1)
    rule = Rule(
        arn=f"{prefix}/{call.ids.hex16()}",
        listener_arn=listener.arn,
        priority=priority,
        conditions=conditions.parse_conditions(request["Conditions"]),
        actions=actions.parse_actions(call, load_balancer.arn, request["Actions"]),
        tags=parse_tags(request.get("Tags") or ()),
    )
    call.tx.put(RULES, rule)
    return {"Rules": [view(rule)]}


def _check_priority(priority: int) -> None:
    if not 1 <= priority <= LAST_PRIORITY:
        raise ValidationError(f"Priority '{priority}' must be between 1 and {LAST_PRIORITY}")


def describe_rules(call: Call, request: DescribeRulesInputTypeDef) -> Response:
    """Those of a listener in order of priority, the default rule last; or by ARN."""
    arns, of = request.get("RuleArns") or (), request.get("ListenerArn")
    if arns and of:
        raise ValidationError("Listener ARN and rule ARNs can't both be specified")
    if of:
        listener = resolve.listener(call, of)
        views = [view(rule) for rule in resolve.rules_in_order(call.tx, listener)]
        views.append(default_view(listener))
    elif arns:
        views = [_described(call, arn) for arn in arns]
    else:
        raise ValidationError("You must specify either listener rule ARNs or a listener ARN")
    size = request.get("PageSize") or MAX_PAGE
    numbered = list(enumerate(views))
    page, marker = paginate(
        numbered, lambda item: f"{item[0]:06d}", size, request.get("Marker"), "ValidationError"
    )
    return {"Rules": [rule for _, rule in page], "NextMarker": marker}


def _described(call: Call, arn: str) -> dict[str, object]:
    listener = _listener_of_default(call, arn)
    return default_view(listener) if listener else view(resolve.rule(call, arn))


def _listener_of_default(call: Call, arn: str) -> Listener | None:
    """The listener whose default rule this is."""
    listener_arn = arn.replace(":listener-rule/", ":listener/", 1).rpartition("/")[0]
    listener = call.tx.get(LISTENERS, listener_arn)
    return listener if listener and default_rule_arn(listener) == arn else None


def modify_rule(call: Call, request: ModifyRuleInputTypeDef) -> Response:
    """Replaces conditions or actions; what is not given stays."""
    if _listener_of_default(call, request["RuleArn"]):
        raise OperationNotPermitted("Default rule cannot be modified: use ModifyListener")
    rule = resolve.rule(call, request["RuleArn"])
    listener = resolve.listener(call, rule.listener_arn)
    if request.get("Conditions"):
        parsed = conditions.parse_conditions(request["Conditions"])
        rule = msgspec.structs.replace(rule, conditions=parsed)
    if request.get("Actions"):
        wanted = actions.parse_actions(call, listener.load_balancer_arn, request["Actions"])
        rule = msgspec.structs.replace(rule, actions=wanted)
    call.tx.put(RULES, rule)
    return {"Rules": [view(rule)]}


def delete_rule(call: Call, request: DeleteRuleInputTypeDef) -> Response:
    """Deletes a rule; the default rule goes only with its listener."""
    if _listener_of_default(call, request["RuleArn"]):
        raise OperationNotPermitted(f"Default rule '{request['RuleArn']}' cannot be deleted")
    call.tx.delete(RULES, resolve.rule(call, request["RuleArn"]).arn)
    return {}


def set_rule_priorities(call: Call, request: SetRulePrioritiesInputTypeDef) -> Response:
    """Sets the priorities of several rules, all or none."""
    changed: list[Rule] = []
    for pair in request["RulePriorities"]:
        priority = pair.get("Priority") or 0
        _check_priority(priority)
        rule = resolve.rule(call, pair.get("RuleArn") or "")
        changed.append(call.tx.put(RULES, msgspec.structs.replace(rule, priority=priority)))
    for listener_arn in {rule.listener_arn for rule in changed}:
        priorities = [r.priority for r in call.tx.find(RULES, "listener", listener_arn)]
        if len(set(priorities)) < len(priorities):
            raise PriorityInUse
    return {"Rules": [view(rule) for rule in changed]}


def view(rule: Rule) -> dict[str, object]:
    """A rule as ELBv2 returns it."""
    return {
        "RuleArn": rule.arn,
        "Priority": str(rule.priority),
        "Conditions": [conditions.view(condition) for condition in rule.conditions],
        "Actions": [actions.view(action) for action in rule.actions],
        "IsDefault": False,
    }


def default_view(listener: Listener) -> dict[str, object]:
    """A listener's default rule."""
    return {
        "RuleArn": default_rule_arn(listener),
        "Priority": "default",
        "Conditions": [],
        "Actions": [actions.view(action) for action in listener.default_actions],
        "IsDefault": True,
    }


OPERATIONS: dict[str, Handler] = {
    "CreateRule": create_rule,
    "DescribeRules": describe_rules,
    "ModifyRule": modify_rule,
    "DeleteRule": delete_rule,
    "SetRulePriorities": set_rule_priorities,
}
