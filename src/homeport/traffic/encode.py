"""Resources in Envoy's JSON form → protocol buffers (the only module that needs them all)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.http.stateful_session.v3 import stateful_session_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2,
)
from envoy.extensions.filters.network.set_filter_state.v3 import set_filter_state_pb2
from envoy.extensions.http.stateful_session.cookie.v3 import cookie_pb2
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import json_format

from .conditions import Json
from .resources import Kind

# Types that appear only inside Any: importing them makes them known to the JSON decoder.
EMBEDDED = (
    cookie_pb2,
    http_connection_manager_pb2,
    http_protocol_options_pb2,
    previous_hosts_pb2,
    router_pb2,
    set_filter_state_pb2,
    stateful_session_pb2,
    tls_pb2,
)
MESSAGES: dict[Kind, Any] = {
    "cluster": cluster_pb2.Cluster,
    "endpoints": endpoint_pb2.ClusterLoadAssignment,
    "listener": listener_pb2.Listener,
    "routes": route_pb2.RouteConfiguration,
}
TYPE_URLS: dict[Kind, str] = {
    kind: f"type.googleapis.com/{message.DESCRIPTOR.full_name}"
    for kind, message in MESSAGES.items()
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A resource ready to be sent. ``version`` is a hash of its content."""

    source: Json
    version: str
    resource: Any  # discovery_pb2.Resource


def encode(kind: Kind, name: str, source: Json) -> Encoded:
    """Encode one resource. Raises json_format.ParseError on a field Envoy doesn't know."""
    if kind == "endpoints":  # the only kind that changes often; C code all the way
        message = MESSAGES[kind](**source)
    else:
        message = json_format.ParseDict(source, MESSAGES[kind]())
    version = hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()[:16]
    resource = discovery_pb2.Resource(name=name, version=version)
    resource.resource.Pack(message, deterministic=True)
    return Encoded(source, version, resource)
