"""What every API operation is given, and its shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from homeport.domain.arn import Arns, Ids
from homeport.domain.session import Session, SessionMint
from homeport.domain.vault import Vault
from homeport.logstore import LogStore
from homeport.objectstore import ObjectStore
from homeport.store import Transaction

Response = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: ``root``, the local ``agent``, a ``user``, or a session of a ``role``.

    ``name`` and ``user_id`` are the user's or the role's own (AIDA…, AROA…); root has neither.
    ``session``: what the session token says, if the request was signed with temporary
    credentials; root and users may have them too.
    """

    arn: str
    kind: Literal["root", "agent", "user", "role"]
    account_id: str
    name: str = ""
    user_id: str = ""
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Platform:
    """Facts about this installation that operations answer with.

    ``endpoint_url`` is what agents are told to poll (DiscoverPollEndpoint); ``lb_domain`` is
    the domain of load balancer names, ``load_balancer_addresses`` are those from which load
    balancers speak to targets.
    """

    account_id: str
    region: str
    availability_zones: tuple[str, ...]
    endpoint_url: str
    lb_domain: str = "elb.localhost"
    load_balancer_addresses: Callable[[], tuple[str, ...]] = tuple


@dataclass(frozen=True, slots=True)
class Call:
    """One API request: an open transaction and the facts around it.

    An exception rolls the transaction back: nothing is stored. ``logs`` holds the events of log
    streams: no part of the transaction, an append to it is kept at once.
    """

    tx: Transaction
    now: float
    principal: Principal
    platform: Platform
    request_id: str
    ids: Ids
    arns: Arns
    sessions: SessionMint
    vault: Vault
    logs: LogStore
    objects: ObjectStore


# The request is a TypedDict of types-boto3 in each handler's own signature; the gateway only
# passes on what the wire decoded, so the common type has to be loose here.
Handler = Callable[[Call, Any], Response]
