"""Target groups as Envoy clusters and endpoints (pure). Both are named by the group's ARN.

Health comes from our own checks and travels as the endpoints' health status. An ALB fails
open when no target is healthy: then every registered target is given as healthy, and Envoy's
panic mode, which would include draining targets, is off.
"""

from __future__ import annotations

from homeport.domain.load_balancing import Target, TargetGroup

from .conditions import Json
from .snapshot import Group

# Longer than one lost SYN (1 s): a target that is gone costs a retry, not the client's patience.
CONNECT_TIMEOUT = "1.5s"
# Shorter than the keep-alive of common servers, so that the target is never the one to close
# a connection just as a request is sent on it.
UPSTREAM_IDLE_TIMEOUT = "1.5s"
UNLIMITED = 4294967295
POLICIES = {
    "round_robin": "ROUND_ROBIN",
    "least_outstanding_requests": "LEAST_REQUEST",
    "weighted_random": "RANDOM",
}
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def cluster_resource(group: TargetGroup) -> Json:
    """The Envoy cluster of a target group; its endpoints come over EDS."""
    algorithm = group.attributes.get("load_balancing.algorithm.type", "round_robin")
    limits = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    cluster: Json = {
        "name": group.arn,
        "alt_stat_name": "/".join(group.arn.rsplit("/", 2)[-2:]),
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": {"ads": {}, "resource_api_version": "V3"},
        },
        "connect_timeout": CONNECT_TIMEOUT,
        "lb_policy": POLICIES.get(algorithm, "ROUND_ROBIN"),
        "circuit_breakers": {
            "thresholds": [
                {"priority": priority, **dict.fromkeys(limits, UNLIMITED)}
                for priority in ("DEFAULT", "HIGH")
            ]
        },
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "upstream_connection_options": {"tcp_keepalive": {"keepalive_time": 60}},
        "typed_extension_protocol_options": {_HTTP_OPTIONS: _http_options(group)},
    }
    slow_start = int(group.attributes.get("slow_start.duration_seconds", "0"))
    if slow_start and algorithm == "round_robin":
        cluster["round_robin_lb_config"] = {
            "slow_start_config": {"slow_start_window": f"{slow_start}s"}
        }
    if group.protocol == "HTTPS":
        cluster["transport_socket"] = _unverified_tls()
    return cluster


def endpoints_resource(group: Group) -> Json:
    """The ClusterLoadAssignment: every target with its health; one endpoint per address."""
    endpoints: dict[tuple[str, int], Json] = {}
    fail_open = not any(group.state(t) in ("healthy", "unavailable") for t in group.targets)
    for target in sorted(group.targets, key=_draining_first):
        address = {"address": target.address, "port_value": target.port}
        endpoints[target.address, target.port] = {
            "endpoint": {"address": {"socket_address": address}},
            "health_status": _health_status(group, target, fail_open),
        }
    load_assignment: Json = {"cluster_name": group.target_group.arn}
    if endpoints:
        load_assignment["endpoints"] = [
            {"lb_endpoints": [endpoints[address] for address in sorted(endpoints)]}
        ]
    return load_assignment


def _draining_first(target: Target) -> bool:
    """Sort key: an address that was registered again after draining takes the later state."""
    return target.draining_since is None


def _health_status(group: Group, target: Target, fail_open: bool) -> str:
    match group.state(target):
        case "draining":
            return "DRAINING"
        case "healthy" | "unavailable":
            return "HEALTHY"
        case _:
            return "HEALTHY" if fail_open else "UNHEALTHY"


def _http_options(group: TargetGroup) -> Json:
    http1: Json = {"http_protocol_options": {}}
    http2: Json = {"http2_protocol_options": {}}
    return {
        "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
        "common_http_protocol_options": {"idle_timeout": UPSTREAM_IDLE_TIMEOUT},
        "explicit_http_config": http2 if group.protocol_version in ("HTTP2", "GRPC") else http1,
    }


def _unverified_tls() -> Json:
    """TLS to the target without checking its certificate, as an ALB does."""
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
            "UpstreamTlsContext"
        },
    }
