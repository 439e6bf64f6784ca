"""What one Envoy has and what it is to get next (pure; the delta xDS protocol without gRPC).

The order is make-before-break, so that no request meets a gap::

    clusters → their endpoints → listeners → routes, once every cluster they name is ready
    → listeners that go → clusters that no route names any more

A resource is pushed when its version is not the one Envoy holds. An Envoy that reconnects says
which versions it holds, so a restarted control plane pushes only what changed meanwhile.
Sources: Envoy "xDS REST and gRPC protocol", sections "Incremental xDS" and "Eventual
consistency considerations".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .resources import KINDS, Kind


@dataclass(frozen=True, slots=True)
class Desired:
    """Versions that Envoy is to hold, and the clusters each route configuration names."""

    versions: Mapping[Kind, Mapping[str, str]]
    clusters_of: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Push:
    """One response: resources to add or update (name → version) and names to remove."""

    kind: Kind
    nonce: str
    updated: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


@dataclass(slots=True)
class _Held:
    """Envoy's side of one kind."""

    asked: bool = False
    greeted: bool = False  # answered at least once: Envoy's start waits for that
    names: set[str] = field(default_factory=set)  # subscriptions by name (endpoints, routes)
    sent: dict[str, str] = field(default_factory=dict)
    accepted: dict[str, str] = field(default_factory=dict)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)  # (version, reason)
    alone: set[str] = field(default_factory=set)  # pushed one by one to find the refused one


class XdsStream:
    """The state of one stream. Feed it requests; ask it what to push."""

    def __init__(self) -> None:
        self._held: dict[Kind, _Held] = {kind: _Held() for kind in KINDS}
        self._in_flight: dict[str, Push] = {}
        self._pushes = 0

    def subscribe(
        self,
        kind: Kind,
        names: Iterable[str],
        unsubscribed: Iterable[str],
        initial_versions: Mapping[str, str],
    ) -> None:
        """A request's subscriptions. The first of a kind says what Envoy already holds."""
        held = self._held[kind]
        if not held.asked:
            held.asked = True
            held.sent = dict(initial_versions)
            held.accepted = dict(initial_versions)
        else:
            for name in names:
                held.sent.pop(name, None)
        held.names.update(names)
        for name in unsubscribed:
            held.names.discard(name)
            held.sent.pop(name, None)
            held.accepted.pop(name, None)

    def answered(self, nonce: str, error: str | None) -> Push | None:
        """Envoy accepted (None) or refused a push; returns the push, None if unknown."""
        push = self._in_flight.pop(nonce, None)
        if push is None:
            return None
        held = self._held[push.kind]
        for name in push.removed:
            held.accepted.pop(name, None)
        for name, version in push.updated.items():
            if error is None:
                held.accepted[name] = version
                held.refused.pop(name, None)
                held.alone.discard(name)
            else:
                self._refused(held, push, name, error)
        return push

    def retry_refused(self, kind: Kind) -> None:
        """Push what was refused once more (a busy port may be free by now)."""
        self._held[kind].refused.clear()

    def has_refused(self, kind: Kind) -> bool:
        """Whether anything of this kind was refused."""
        return bool(self._held[kind].refused)

    def refusal(self, listener: str) -> str | None:
        """Why Envoy does not have the listener or its routes as wanted."""
        for kind in ("listener", "routes"):
            if refused := self._held[kind].refused.get(listener):
                return refused[1]
        return None

    def serves(self, listener: str) -> bool:
        """Whether Envoy has accepted the listener and its routes."""
        return all(listener in self._held[kind].accepted for kind in ("listener", "routes"))

    def next_push(self, desired: Desired) -> Push | None:
        """What to send now; None until something changes. Call again until None."""
        return (
            self._clusters(desired)
            or self._endpoints(desired)
            or self._listener(desired)
            or self._routes(desired)
            or self._listeners_that_go(desired)
            or self._clusters_that_go(desired)
        )

    def _clusters(self, desired: Desired) -> Push | None:
        due = self._due("cluster", desired)
        for name in due:
            # An updated cluster waits for endpoints again, and Envoy does not ask twice.
            self._held["endpoints"].sent.pop(name, None)
        return self._push("cluster", due) or self._greeting("cluster")

    def _endpoints(self, desired: Desired) -> Push | None:
        return self._push("endpoints", self._due("endpoints", desired))

    def _listener(self, desired: Desired) -> Push | None:
        # One by one: a refusal then speaks of this listener alone.
        due = self._due("listener", desired)
        return self._push("listener", dict(list(due.items())[:1])) or self._greeting("listener")

    def _greeting(self, kind: Kind) -> Push | None:
        """An empty first answer: without it Envoy waits 15 s for the kind before it goes on."""
        held = self._held[kind]
        return self._send(Push(kind, self._nonce())) if held.asked and not held.greeted else None

    def _routes(self, desired: Desired) -> Push | None:
        due = {
            name: version
            for name, version in self._due("routes", desired).items()
            if all(self._is_ready(cluster) for cluster in desired.clusters_of.get(name, ()))
        }
        return self._push("routes", due)

    def _listeners_that_go(self, desired: Desired) -> Push | None:
        gone = [n for n in self._held["listener"].sent if n not in desired.versions["listener"]]
        return self._push("listener", {}, gone)

    def _clusters_that_go(self, desired: Desired) -> Push | None:
        gone = [n for n in self._held["cluster"].sent if n not in desired.versions["cluster"]]
        if not gone or not self._routes_settled(desired):
            return None
        for name in gone:
            self._held["endpoints"].sent.pop(name, None)
        return self._push("cluster", {}, gone)

    def _routes_settled(self, desired: Desired) -> bool:
        """Every route configuration that Envoy uses is the wanted one."""
        if any(push.kind == "listener" for push in self._in_flight.values()):
            return False
        routes = self._held["routes"]
        wanted = desired.versions["routes"]
        return all(routes.accepted.get(n) == wanted[n] for n in routes.names if n in wanted)

    def _is_ready(self, cluster: str) -> bool:
        clusters, endpoints = self._held["cluster"], self._held["endpoints"]
        if cluster in clusters.refused or cluster in endpoints.refused:
            return True  # it won't come; the rest must not wait for it
        return cluster in clusters.accepted and cluster in endpoints.accepted

    def _due(self, kind: Kind, desired: Desired) -> dict[str, str]:
        held = self._held[kind]
        if not held.asked:
            return {}
        by_name = kind in ("endpoints", "routes")
        due = {
            name: version
            for name, version in desired.versions[kind].items()
            if held.sent.get(name) != version
            and held.refused.get(name, ("", ""))[0] != version
            and (not by_name or name in held.names)
        }
        alone = next((name for name in due if name in held.alone), None)
        return due if alone is None else {alone: due[alone]}

    def _push(
        self, kind: Kind, updated: Mapping[str, str], removed: Sequence[str] = ()
    ) -> Push | None:
        if not updated and not removed:
            return None
        return self._send(Push(kind, self._nonce(), updated, tuple(removed)))

    def _send(self, push: Push) -> Push:
        self._in_flight[push.nonce] = push
        held = self._held[push.kind]
        held.greeted = True
        held.sent.update(push.updated)
        for name in push.removed:
            held.sent.pop(name, None)
            held.refused.pop(name, None)
        return push

    def _nonce(self) -> str:
        self._pushes += 1
        return str(self._pushes)

    def _refused(self, held: _Held, push: Push, name: str, error: str) -> None:
        version = push.updated[name]
        if held.sent.get(name) == version:
            del held.sent[name]
            if name in held.accepted:
                held.sent[name] = held.accepted[name]
        if len(push.updated) > 1:
            held.alone.add(name)
        else:
            held.refused[name] = (version, error)
