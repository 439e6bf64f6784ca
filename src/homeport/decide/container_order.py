"""In which order the containers of a task start and stop. Pure.

A container starts once each of its dependencies is met, and stops once every container that
depends on it has stopped. ``links`` imply START and ``volumesFrom`` implies CREATE, as in the
official agent (``agent/engine/dependencygraph/graph.go``).

``startTimeout`` belongs to the dependency: it runs from its start and bounds COMPLETE, SUCCESS
and HEALTHY, never START.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from homeport.domain.agent_payload import PayloadContainer

Condition = Literal["CREATE", "START", "COMPLETE", "SUCCESS", "HEALTHY"]
Status = Literal["NONE", "CREATED", "RUNNING", "STOPPED"]

_CONDITIONS: Mapping[str, Condition] = {
    "CREATE": "CREATE",
    "START": "START",
    "COMPLETE": "COMPLETE",
    "SUCCESS": "SUCCESS",
    "HEALTHY": "HEALTHY",
}


@dataclass(frozen=True, slots=True)
class Dependency:
    """``container`` must have met ``condition``."""

    container: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Node:
    """A container as it is seen now. Times in epoch seconds, ``start_timeout`` in seconds.

    ``wanted`` is false once it is not to be started any more.
    """

    name: str
    depends_on: tuple[Dependency, ...] = ()
    status: Status = "NONE"
    wanted: bool = True
    exit_code: int | None = None
    healthy: bool = False
    started_at: float | None = None
    start_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """Every dependency is met."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not yet; look again when a container changes, or at ``until`` (epoch seconds)."""

    until: float | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """A dependency can't be met any more."""

    reason: str


StartVerdict = Ready | Waiting | Never


def dependencies_of(container: PayloadContainer) -> tuple[Dependency, ...]:
    """What is declared (``dependsOn``) and what ``links`` and ``volumesFrom`` imply.

    Raises ValueError for an unknown condition or a malformed link.
    """
    declared = [
        Dependency(d.container_name, _condition(d.condition)) for d in container.depends_on or ()
    ]
    volumes = [Dependency(v.source_container, "CREATE") for v in container.volumes_from or ()]
    links = [Dependency(link_parts(link)[0], "START") for link in container.links or ()]
    return tuple(dict.fromkeys(declared + volumes + links))


def link_parts(link: str) -> tuple[str, str]:
    """``name:alias`` or ``name`` → (name, alias). Raises ValueError."""
    name, _, alias = link.partition(":")
    if not name or ":" in alias:
        raise ValueError(f"invalid link: {link}")
    return name, alias or name


def resolvable(nodes: Sequence[Node]) -> bool:
    """Whether every dependency names a container of the task and there is no cycle."""
    unresolved = {node.name: {d.container for d in node.depends_on} for node in nodes}
    if any(not needed <= unresolved.keys() for needed in unresolved.values()):
        return False
    while unresolved:
        free = [name for name, needed in unresolved.items() if not needed & unresolved.keys()]
        if not free:
            return False
        for name in free:
            del unresolved[name]
    return True


def may_start(node: Node, nodes: Iterable[Node], now: float) -> StartVerdict:
    """Whether ``node`` may be created and started."""
    by_name = {other.name: other for other in nodes}
    verdicts = [_verdict(node.name, by_name.get(d.container), d, now) for d in node.depends_on]
    for verdict in verdicts:
        if isinstance(verdict, Never):
            return verdict
    waits = [verdict for verdict in verdicts if isinstance(verdict, Waiting)]
    if not waits:
        return Ready()
    return Waiting(min((w.until for w in waits if w.until is not None), default=None))


def may_stop(node: Node, nodes: Iterable[Node]) -> bool:
    """Whether every container that depends on ``node`` has stopped."""
    return all(
        other.status == "STOPPED"
        for other in nodes
        if any(d.container == node.name for d in other.depends_on)
    )


def _verdict(target: str, found: Node | None, wanted: Dependency, now: float) -> StartVerdict:
    described = f"container ordering dependency [{wanted.container}] for target [{target}]"
    if found is None:
        return Never(f"dependency graph: {described} does not exist.")
    if wanted.condition == "SUCCESS" and found.status == "STOPPED" and found.exit_code != 0:
        return Never(
            f"dependency graph: failed to resolve {described} as dependency did not exit"
            " successfully."
        )
    if _met(found, wanted.condition):
        return Ready()
    if _cannot_be_met(found, wanted.condition):
        return Never(
            f"dependency graph: failed to resolve {described} because dependency will never start"
        )
    until = _timeout(found, wanted.condition)
    if until is not None and now >= until:
        return Never(f"dependency graph: {described} has timed out.")
    return Waiting(until)


def _met(found: Node, condition: Condition) -> bool:
    ran = found.started_at is not None
    match condition:
        case "CREATE":
            return found.status in ("CREATED", "RUNNING") or (found.status == "STOPPED" and ran)
        case "START":
            return found.status == "RUNNING" or (found.status == "STOPPED" and ran)
        case "COMPLETE":
            return found.status == "STOPPED" and found.exit_code is not None
        case "SUCCESS":
            return found.status == "STOPPED" and found.exit_code == 0
        case "HEALTHY":
            return found.status == "RUNNING" and found.healthy


def _cannot_be_met(found: Node, condition: Condition) -> bool:
    if found.status == "STOPPED":
        return True
    return found.status != "RUNNING" and not found.wanted


def _timeout(found: Node, condition: Condition) -> float | None:
    if condition in ("CREATE", "START") or found.started_at is None or not found.start_timeout:
        return None
    return found.started_at + found.start_timeout


def _condition(name: str) -> Condition:
    try:
        return _CONDITIONS[name]
    except KeyError:
        raise ValueError(f"unknown condition: {name}") from None
