"""The health of one target, check by check (pure).

::

    initial ──first success──▶ healthy ◀──H successes in a row── unhealthy
       └────U failures in a row────┴──────U failures in a row────────▶

Source: "Health checks for your target groups", ALB user guide: states, reason codes and their
descriptions; one success ends ``initial``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from homeport.domain.load_balancing import TargetState

from .probe import Outcome, Probe

Verdict = tuple[TargetState, str, str]
"""State, reason code, description."""

HEALTHY: Verdict = ("healthy", "", "")
INITIAL: Verdict = ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
NOT_IN_USE: Verdict = (
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
DISABLED: Verdict = ("unavailable", "Target.HealthCheckDisabled", "Health checks are disabled")


@dataclass(frozen=True, slots=True)
class Progress:
    """A verdict and how many successes or failures in a row speak against it."""

    verdict: Verdict
    successes: int = 0
    failures: int = 0


def observe(progress: Progress, outcome: Outcome, probe: Probe) -> Progress:
    """The progress after one more check."""
    state = progress.verdict[0]
    if isinstance(outcome, int) and matches(probe.matcher, outcome):
        successes = progress.successes + 1
        if state == "unhealthy" and successes < probe.healthy_threshold:
            return replace(progress, successes=successes, failures=0)
        return Progress(HEALTHY)
    failures = progress.failures + 1
    if state != "unhealthy" and failures < probe.unhealthy_threshold:
        return replace(progress, successes=0, failures=failures)
    return Progress(failed_verdict(outcome))


def failed_verdict(outcome: Outcome) -> Verdict:
    """Why a target is unhealthy, in ELBv2's words."""
    match outcome:
        case "timeout":
            return "unhealthy", "Target.Timeout", "Request timed out"
        case "failed":
            return "unhealthy", "Target.FailedHealthChecks", "Health checks failed"
        case code:
            description = f"Health checks failed with these codes: [{code}]"
            return "unhealthy", "Target.ResponseCodeMismatch", description


def matches(matcher: str, code: int) -> bool:
    """Whether a code is among ``"200"``, ``"200,202"`` or ``"200-299"``."""
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= code <= int(high or low):
            return True
    return False
