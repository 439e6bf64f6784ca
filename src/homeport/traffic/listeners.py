"""ELBv2 listeners as Envoy listeners (pure). One each, named by ARN, on its real port."""

from __future__ import annotations

from homeport.domain.load_balancing import Condition

from .conditions import SOURCE_ADDRESS_KEY, Json, uses_source_ip
from .local_replies import local_reply_config
from .routes import idle_timeout
from .snapshot import ServedListener, Snapshot, groups_of
from .stickiness import is_sticky, session_filter

_TYPES = "type.googleapis.com/envoy.extensions.filters"
DEFAULT_KEEP_ALIVE_SECONDS = 3600


def listener_resource(served: ServedListener, snapshot: Snapshot, bind_address: str) -> Json:
    """The Envoy listener of an HTTP listener."""
    filters = [_connection_manager(served, snapshot)]
    if uses_source_ip(_conditions(served)):
        filters.insert(0, _remember_source_address())
    return {
        "name": served.listener.arn,
        "address": {
            "socket_address": {"address": bind_address, "port_value": served.listener.port}
        },
        # One socket, bound exclusively: with a port per worker a second Envoy on the same
        # port would share its traffic silently instead of being refused.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": filters}],
        "traffic_direction": "INBOUND",
    }


def _conditions(served: ServedListener) -> list[Condition]:
    return [condition for rule in served.rules for condition in rule.conditions]


def _connection_manager(served: ServedListener, snapshot: Snapshot) -> Json:
    attributes = served.load_balancer.attributes
    keep_alive = attributes.get("client_keep_alive.seconds", str(DEFAULT_KEEP_ALIVE_SECONDS))
    manager: Json = {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "/".join(served.listener.arn.rsplit("/", 3)[-3:]),
        "codec_type": "HTTP1",
        "rds": {
            "route_config_name": served.listener.arn,
            "config_source": {"ads": {}, "resource_api_version": "V3"},
        },
        "http_filters": _http_filters(served, snapshot),
        "local_reply_config": local_reply_config(),
        "server_header_transformation": "PASS_THROUGH",
        "use_remote_address": True,
        "internal_address_config": {"unix_sockets": False},
        "skip_xff_append": True,  # the routes do it
        "generate_request_id": False,
        "normalize_path": False,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "max_request_headers_kb": 64,
        "stream_idle_timeout": idle_timeout(served),
        "common_http_protocol_options": {
            "idle_timeout": idle_timeout(served),
            "max_connection_duration": f"{keep_alive}s",
            "headers_with_underscores_action": "ALLOW",
            "max_headers_count": 1000,
        },
        # After its life a connection is closed by the answer's own Connection: close.
        "http1_safe_max_connection_duration": True,
        "http_protocol_options": {
            "accept_http_10": True,
            "default_host_for_http_10": served.load_balancer.dns_name,
        },
        "upgrade_configs": [{"upgrade_type": "websocket"}],
    }
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": manager,
    }


def _http_filters(served: ServedListener, snapshot: Snapshot) -> list[Json]:
    groups = (snapshot.group(arn) for arn in groups_of(served.actions()))
    filters: list[Json] = []
    if any(group is not None and is_sticky(group.target_group) for group in groups):
        filters.append(session_filter())
    router: Json = {
        "name": "envoy.filters.http.router",
        "typed_config": {
            "@type": f"{_TYPES}.http.router.v3.Router",
            "suppress_envoy_headers": True,
        },
    }
    return [*filters, router]


def _remember_source_address() -> Json:
    """Routes see the TCP peer's address under SOURCE_ADDRESS_KEY."""
    return {
        "name": "envoy.filters.network.set_filter_state",
        "typed_config": {
            "@type": f"{_TYPES}.network.set_filter_state.v3.Config",
            "on_new_connection": [
                {
                    "object_key": SOURCE_ADDRESS_KEY,
                    "factory_key": "envoy.network.ip",
                    "format_string": {
                        "text_format_source": {
                            "inline_string": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"
                        }
                    },
                }
            ],
        },
    }
