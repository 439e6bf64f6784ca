"""Elastic Load Balancing: what is made is named, all else is given by ARN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .rule import Asked, Rule, arns_in


def _load_balancer(asked: Asked) -> list[str]:
    name = asked.document.get("Name", "")
    kind = {"network": "net", "gateway": "gwy"}.get(asked.document.get("Type", ""), "app")
    return [asked.call.arns.elbv2(f"loadbalancer/{kind}/{name}/*")]


def _target_group(asked: Asked) -> list[str]:
    return [asked.call.arns.elbv2(f"targetgroup/{asked.document.get('Name', '')}/*")]


def _prioritised(asked: Asked) -> Iterator[str]:
    for pair in asked.document.get("RulePriorities") or ():
        yield pair.get("RuleArn", "")


def _made_by(asked: Asked) -> Mapping[str, str | None]:
    return {
        "elasticloadbalancing:scheme": asked.document.get("Scheme"),
        "elasticloadbalancing:listenerprotocol": asked.document.get("Protocol"),
    }


_LOAD_BALANCER = Rule(arns_in("LoadBalancerArn"))
_LISTENER = Rule(arns_in("ListenerArn"))
_RULE = Rule(arns_in("RuleArn"))
_TARGET_GROUP = Rule(arns_in("TargetGroupArn"))
_TAGGED = Rule(arns_in("ResourceArns"))

RULES: Mapping[str, Rule] = {
    "CreateLoadBalancer": Rule(_load_balancer, keys=_made_by, tagging="AddTags"),
    "CreateTargetGroup": Rule(_target_group, tagging="AddTags"),
    "CreateListener": Rule(arns_in("LoadBalancerArn"), keys=_made_by, tagging="AddTags"),
    "CreateRule": Rule(arns_in("ListenerArn"), tagging="AddTags"),
    "DeleteLoadBalancer": _LOAD_BALANCER,
    "ModifyLoadBalancerAttributes": _LOAD_BALANCER,
    "SetIpAddressType": _LOAD_BALANCER,
    "SetSecurityGroups": _LOAD_BALANCER,
    "SetSubnets": _LOAD_BALANCER,
    "DeleteListener": _LISTENER,
    "ModifyListener": _LISTENER,
    "ModifyListenerAttributes": _LISTENER,
    "AddListenerCertificates": _LISTENER,
    "RemoveListenerCertificates": _LISTENER,
    "DeleteRule": _RULE,
    "ModifyRule": _RULE,
    "SetRulePriorities": Rule(_prioritised),
    "DeleteTargetGroup": _TARGET_GROUP,
    "ModifyTargetGroup": _TARGET_GROUP,
    "ModifyTargetGroupAttributes": _TARGET_GROUP,
    "RegisterTargets": _TARGET_GROUP,
    "DeregisterTargets": _TARGET_GROUP,
    "AddTags": _TAGGED,
    "RemoveTags": _TAGGED,
}
