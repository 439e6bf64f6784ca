"""What a load balancer's state is, from what Envoy said (pure).

::

    provisioning ──every listener accepted──▶ active
         │                                      │ ▲
         └──refused──▶ failed / active_impaired ◀─┘ └── accepted after all (a port became free)

``active`` without listeners, as on AWS, once Envoy runs. ``active_impaired``: some of it is
served; ``failed``: nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["active", "active_impaired", "failed"]


@dataclass(frozen=True, slots=True)
class ListenerOutcome:
    """One listener as Envoy has it. ``trouble``: what is refused or not served of it."""

    port: int
    serves: bool
    trouble: str | None = None


def load_balancer_state(
    outcomes: Sequence[ListenerOutcome], connected: bool, problem: str | None
) -> tuple[State, str] | None:
    """``(state, reason)``; None while Envoy has not answered yet: the state stays as it is.

    ``connected``: Envoy is connected. ``problem``: why Envoy can't run.
    """
    if problem is not None and not connected:
        return "failed", problem
    troubles = "; ".join(o.trouble for o in outcomes if o.trouble)
    serving = any(outcome.serves for outcome in outcomes)
    if not connected or any(not o.serves and not o.trouble for o in outcomes):
        return None
    if not troubles:
        return "active", ""
    return ("active_impaired" if serving else "failed"), troubles


def readable_refusal(text: str, port: int, address: str) -> str:
    """Envoy's refusal of a listener in words that say what to do."""
    start = f"Port {port} can't be opened on {address}: "
    if "Address already in use" in text:
        return start + "another program uses it. Stop that program or use another port."
    if "duplicate address" in text:
        return start + "another load balancer listens on it. Use another port."
    if "Permission denied" in text:
        return start + (
            "ports below 1024 need root (or: sysctl net.ipv4.ip_unprivileged_port_start=80)."
        )
    if "Cannot assign requested address" in text:
        return start + "this machine does not have that address."
    return f"Envoy refused the listener on port {port}: {text[:400]}"
