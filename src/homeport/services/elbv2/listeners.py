"""Listeners: each opens a real port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from homeport.domain.load_balancing import Listener, LoadBalancer
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import LISTENERS, LOAD_BALANCERS, RULES
from homeport.wire.paging import paginate

from . import actions, resolve
from .errors import (
    DuplicateListener,
    InvalidConfigurationRequest,
    TooManyListeners,
    UnsupportedProtocol,
    ValidationError,
)
from .tags import parse_tags

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import (
        CreateListenerInputTypeDef,
        DeleteListenerInputTypeDef,
        DescribeListenersInputTypeDef,
        ModifyListenerInputTypeDef,
    )

MAX_LISTENERS = 50
MAX_PAGE = 400


def create_listener(call: Call, request: CreateListenerInputTypeDef) -> Response:
    """Opens a port of the load balancer."""
    load_balancer = resolve.load_balancer(call, request["LoadBalancerArn"])
    port, protocol = request.get("Port"), request.get("Protocol")
    if not port:
        raise ValidationError("A listener port must be specified: Port")
    _check_protocol(protocol)
    _check_port(call, load_balancer, port)
    if len(resolve.listeners_of(call.tx, load_balancer)) >= MAX_LISTENERS:
        raise TooManyListeners(f"A load balancer has at most {MAX_LISTENERS} listeners")
    _, _, path = load_balancer.arn.partition(":loadbalancer/")
    listener = Listener(
        arn=call.arns.elbv2(f"listener/{path}/{call.ids.hex16()}"),
        load_balancer_arn=load_balancer.arn,
        port=port,
        protocol=protocol or "HTTP",
        default_actions=actions.parse_actions(call, load_balancer.arn, request["DefaultActions"]),
        created_at=call.now,
        tags=parse_tags(request.get("Tags") or ()),
    )
    call.tx.put(LISTENERS, listener)
    return {"Listeners": [view(listener)]}


def _check_protocol(protocol: str | None) -> None:
    if not protocol:
        raise ValidationError("A listener protocol must be specified: Protocol")
    if protocol == "HTTPS":
        raise UnsupportedProtocol(
            "Homeport has no certificates yet: an HTTPS listener can't be created. Use HTTP."
        )
    if protocol != "HTTP":
        raise ValidationError(
            f"Listener protocol '{protocol}' must be one of 'HTTPS, HTTP' for an application "
            "load balancer"
        )


def _check_port(call: Call, load_balancer: LoadBalancer, port: int) -> None:
    """On AWS every load balancer has its own addresses; here they share this machine's."""
    for other in call.tx.find(LISTENERS, "port", port):
        if other.load_balancer_arn == load_balancer.arn:
            raise DuplicateListener
        owner = call.tx.get(LOAD_BALANCERS, other.load_balancer_arn)
        raise InvalidConfigurationRequest(
            f"Port {port} of this machine is already used by load balancer "
            f"'{owner.name if owner else other.load_balancer_arn}'. All load balancers of "
            "Homeport share one address: choose another Port."
        )


def describe_listeners(call: Call, request: DescribeListenersInputTypeDef) -> Response:
    """Those of a load balancer, or by ARN."""
    arns, of = request.get("ListenerArns") or (), request.get("LoadBalancerArn")
    if arns:
        found = [resolve.listener(call, arn) for arn in arns]
    elif of:
        found = resolve.listeners_of(call.tx, resolve.load_balancer(call, of))
    else:
        raise ValidationError("You must specify either listener ARNs or a load balancer ARN")
    size = request.get("PageSize") or MAX_PAGE
    page, marker = paginate(found, lambda x: x.arn, size, request.get("Marker"), "ValidationError")
    return {"Listeners": [view(listener) for listener in page], "NextMarker": marker}


def modify_listener(call: Call, request: ModifyListenerInputTypeDef) -> Response:
    """Changes port or default actions; what is not given stays."""
    listener = resolve.listener(call, request["ListenerArn"])
    load_balancer = resolve.load_balancer(call, listener.load_balancer_arn)
    port = request.get("Port") or listener.port
    if port != listener.port:
        _check_port(call, load_balancer, port)
    protocol = request.get("Protocol") or listener.protocol
    _check_protocol(protocol)
    default_actions = listener.default_actions
    if request.get("DefaultActions"):
        default_actions = actions.parse_actions(call, load_balancer.arn, request["DefaultActions"])
    listener = call.tx.put(
        LISTENERS,
        msgspec.structs.replace(
            listener, port=port, protocol=protocol, default_actions=default_actions
        ),
    )
    return {"Listeners": [view(listener)]}


def delete_listener(call: Call, request: DeleteListenerInputTypeDef) -> Response:
    """Closes the port; the listener's rules go with it."""
    listener = resolve.listener(call, request["ListenerArn"])
    for rule in resolve.rules_in_order(call.tx, listener):
        call.tx.delete(RULES, rule.arn)
    call.tx.delete(LISTENERS, listener.arn)
    return {}


def view(listener: Listener) -> dict[str, object]:
    """A listener as ELBv2 returns it."""
    return {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": listener.load_balancer_arn,
        "Port": listener.port,
        "Protocol": listener.protocol,
        "DefaultActions": [actions.view(action) for action in listener.default_actions],
    }


OPERATIONS: dict[str, Handler] = {
    "CreateListener": create_listener,
    "DescribeListeners": describe_listeners,
    "ModifyListener": modify_listener,
    "DeleteListener": delete_listener,
}
