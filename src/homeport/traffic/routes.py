"""Rules and actions as an Envoy route configuration (pure).

One route configuration per listener, named by the listener's ARN; one or more routes per rule,
in the rules' order, the default rule last.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.domain.load_balancing import Action, Condition

from .conditions import Json, Unsupported, header_regex, route_match
from .local_replies import SERVER, overwrite, page
from .redirects import redirect
from .snapshot import ServedListener, Snapshot
from .stickiness import GROUP_COOKIE, group_cookie_value, session_override

DEFAULT_IDLE_TIMEOUT_SECONDS = 60
XFF_MODE = "routing.http.xff_header_processing.mode"
RETRIES = 3
# A request that no target has begun to answer may go to another target. One that no target
# has received always may; one that may have been received only if repeating it is harmless.
# An ALB doesn't retry: this is why a container that dies costs no request here.
RETRY_ANY_METHOD = "connect-failure,refused-stream,reset-before-request"
RETRY_SAFE_METHODS = f"{RETRY_ANY_METHOD},reset"
SAFE_METHODS = header_regex(":method", "GET|HEAD|OPTIONS")


def route_configuration(served: ServedListener, snapshot: Snapshot) -> tuple[Json, list[str]]:
    """``(RouteConfiguration, problems)``: a problem names a rule that is not served."""
    routes: list[Json] = []
    problems: list[str] = []
    default = ((), served.listener.default_actions, "the default rule")
    rules = [(r.conditions, r.actions, f"rule {r.priority}") for r in served.rules]
    for conditions, actions, name in [*rules, default]:
        try:
            routes.extend(_rule_routes(conditions, actions[-1], served, snapshot))
        except Unsupported as reason:
            problems.append(f"{name}: {reason}")
            routes.append(_not_served(conditions, str(reason)))
    return _configuration(served, routes), problems


def idle_timeout(served: ServedListener) -> str:
    """The load balancer's idle timeout as a protobuf duration."""
    seconds = served.load_balancer.attributes.get("idle_timeout.timeout_seconds")
    return f"{seconds or DEFAULT_IDLE_TIMEOUT_SECONDS}s"


def _configuration(served: ServedListener, routes: list[Json]) -> Json:
    return {
        "name": served.listener.arn,
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
        # A route never waits here for its cluster: the server orders its pushes itself.
        "validate_clusters": False,
        "request_headers_to_add": _headers_to_target(served),
        "request_headers_to_remove": _headers_removed(served),
    }


def _headers_to_target(served: ServedListener) -> list[Json]:
    attributes = served.load_balancer.attributes
    headers = [overwrite("x-forwarded-port", str(served.listener.port))]
    if attributes.get(XFF_MODE, "append") == "append":
        # Envoy's own X-Forwarded-For names another address for peers on the loopback.
        with_port = attributes.get("routing.http.xff_client_port.enabled") == "true"
        peer = f"%DOWNSTREAM_DIRECT_REMOTE_ADDRESS{'' if with_port else '_WITHOUT_PORT'}%"
        headers.append(
            {
                "header": {"key": "x-forwarded-for", "value": peer},
                "append_action": "APPEND_IF_EXISTS_OR_ADD",
            }
        )
    return headers


def _headers_removed(served: ServedListener) -> list[str]:
    removed = ["x-envoy-internal", "x-envoy-external-address"]
    if served.load_balancer.attributes.get(XFF_MODE) == "remove":
        removed.append("x-forwarded-for")
    return removed


def _rule_routes(
    conditions: tuple[Condition, ...],
    action: Action,
    served: ServedListener,
    snapshot: Snapshot,
) -> Iterator[Json]:
    match action.type:
        case "redirect":
            yield {"match": route_match(conditions), **redirect(action, served.listener)}
        case "fixed-response":
            status, content_type = int(action.status_code), action.content_type
            yield _answer(route_match(conditions), status, content_type, action.message_body)
        case "forward":
            for also, target in _forward_targets(action, snapshot):
                if target is None:
                    yield _answer(route_match(conditions), 503, "text/html", page(503))
                    continue
                yield _forward(route_match(conditions, *also, SAFE_METHODS), target, True)
                yield _forward(route_match(conditions, *also), target, False)


def _forward_targets(
    action: Action, snapshot: Snapshot
) -> Iterator[tuple[tuple[Json, ...], Json | None]]:
    """``(further matchers, where to)``; None where every weight is 0."""
    weighted = [
        (w.target_group_arn, w.weight)
        for w in action.target_groups
        if snapshot.group(w.target_group_arn) is not None and w.weight > 0
    ]
    if not weighted:
        yield (), None
        return
    if len(weighted) == 1 and action.stickiness_seconds is None:
        yield (), _cluster(weighted[0][0], snapshot)
        return
    if action.stickiness_seconds is not None:
        for arn, _ in weighted:
            cookie = rf"(?:.*;\s*)?{GROUP_COOKIE}={group_cookie_value(arn)}(?:\s*;.*)?"
            chosen = _weighted([(arn, 1)], action.stickiness_seconds, snapshot)
            yield (header_regex("cookie", cookie),), chosen
    yield (), _weighted(weighted, action.stickiness_seconds, snapshot)


def _cluster(arn: str, snapshot: Snapshot) -> Json:
    route: Json = {"route": {"cluster": arn}}
    group = snapshot.group(arn)
    override = session_override(group.target_group) if group else None
    return route | ({"typed_per_filter_config": override} if override else {})


def _weighted(
    weighted: list[tuple[str, int]], stickiness_seconds: int | None, snapshot: Snapshot
) -> Json:
    clusters: list[Json] = []
    for arn, weight in weighted:
        cluster: Json = {"name": arn, "weight": weight}
        if stickiness_seconds is not None:
            cookie = f"{GROUP_COOKIE}={group_cookie_value(arn)}; Max-Age={stickiness_seconds}"
            cluster["response_headers_to_add"] = [
                {
                    "header": {"key": "set-cookie", "value": f"{cookie}; Path=/"},
                    "append_action": "APPEND_IF_EXISTS_OR_ADD",
                }
            ]
        group = snapshot.group(arn)
        if group and (override := session_override(group.target_group)):
            cluster["typed_per_filter_config"] = override
        clusters.append(cluster)
    return {"route": {"weighted_clusters": {"clusters": clusters}}}


def _forward(match: Json, target: Json, safe_methods: bool) -> Json:
    route = target["route"]
    assert isinstance(route, dict)
    return {
        **target,
        "match": match,
        "route": {
            **route,
            "timeout": "0s",  # the listener's idle timeout is the only limit, as on an ALB
            "retry_policy": {
                "retry_on": RETRY_SAFE_METHODS if safe_methods else RETRY_ANY_METHOD,
                "num_retries": RETRIES,
                "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.1s"},
                "retry_host_predicate": [
                    {
                        "name": "envoy.retry_host_predicates.previous_hosts",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.retry.host."
                            "previous_hosts.v3.PreviousHostsPredicate"
                        },
                    }
                ],
                "host_selection_retry_max_attempts": 5,
            },
        },
    }


def _answer(match: Json, status: int, content_type: str, body: str) -> Json:
    """A route that the load balancer answers itself."""
    response: Json = {"status": status}
    headers = [SERVER]
    if body:
        response["body"] = {"inline_string": body}
    if content_type:
        headers.append(overwrite("content-type", content_type))
    return {"match": match, "direct_response": response, "response_headers_to_add": headers}


def _not_served(conditions: tuple[Condition, ...], reason: str) -> Json:
    """What a rule that can't be translated answers, so that nobody takes it for served."""
    try:
        match = route_match(conditions)
    except Unsupported:
        match = {"prefix": "/", "headers": [{"name": ":method", "invert_match": True}]}
    return _answer(match, 501, "text/plain", f"{reason}\n")
