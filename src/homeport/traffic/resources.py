"""Load balancers, listeners, rules, targets and their health → xDS resources (pure).

A resource is plain data in Envoy's JSON form (field names of its protocol buffers, durations
as ``"60s"``), so that a translation can be read and compared without Envoy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .clusters import cluster_resource, endpoints_resource
from .conditions import Json
from .listeners import listener_resource
from .routes import route_configuration
from .snapshot import Snapshot

Kind = Literal["cluster", "endpoints", "listener", "routes"]
KINDS: tuple[Kind, ...] = ("cluster", "endpoints", "listener", "routes")

HTTPS_NOT_SERVED = "HTTPS listeners are not served yet: use an HTTP listener"


@dataclass(frozen=True, slots=True)
class Resources:
    """What Envoy is to have: kind → name → resource.

    ``clusters_of``: the clusters that each route configuration names. ``problems``: what of a
    listener (by ARN) is not served, in words for the user.
    """

    by_kind: dict[Kind, dict[str, Json]]
    clusters_of: dict[str, frozenset[str]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def translate(snapshot: Snapshot, bind_address: str) -> Resources:
    """Everything that Envoy is to have for this snapshot."""
    by_kind: dict[Kind, dict[str, Json]] = {kind: {} for kind in KINDS}
    resources = Resources(by_kind)
    for arn, group in (snapshot.groups or {}).items():
        by_kind["cluster"][arn] = cluster_resource(group.target_group)
        by_kind["endpoints"][arn] = endpoints_resource(group)
    for served in snapshot.listeners:
        arn = served.listener.arn
        if served.listener.protocol != "HTTP":
            resources.problems[arn] = HTTPS_NOT_SERVED
            continue
        by_kind["listener"][arn] = listener_resource(served, snapshot, bind_address)
        routes, problems = route_configuration(served, snapshot)
        by_kind["routes"][arn] = routes
        resources.clusters_of[arn] = frozenset(
            weighted.target_group_arn
            for action in served.actions()
            for weighted in action.target_groups
            if weighted.target_group_arn in by_kind["cluster"]
        )
        if problems:
            resources.problems[arn] = "; ".join(problems)
    return resources
