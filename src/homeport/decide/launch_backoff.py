"""When a deployment whose tasks fail may launch again.

AWS delays the next launch of a service whose tasks stop without ever having been RUNNING, up
to 27 minutes ("Service throttle logic", ECS developer guide). The growth is not documented:
Homeport doubles from five seconds. The first replacement is immediate. A task that dies after
it has been RUNNING for a while is replaced at once, as on AWS.

Unlike AWS, a task whose container ends by itself within ten seconds of its start counts too: on
AWS the start of a task takes so long that a program that crashes at once is slow to be repeated;
here it would be several times a second.
"""

from __future__ import annotations

FIRST_DELAY_SECONDS = 5.0
LAST_DELAY_SECONDS = 27 * 60.0
UNABLE_AFTER_FAILURES = 3
QUICK_END_SECONDS = 10.0


def delay_seconds(consecutive_failures: int) -> float:
    """The wait after this many failures in a row: 0, 5, 10, 20 … 1620 seconds."""
    if consecutive_failures <= 1:
        return 0.0
    doublings = min(consecutive_failures - 2, 30)
    return float(min(FIRST_DELAY_SECONDS * 2**doublings, LAST_DELAY_SECONDS))


def ended_quickly(started_at: float | None, ended_at: float) -> bool:
    """Whether a task that ended by itself ran too short a time to count as having worked."""
    return started_at is not None and ended_at - started_at < QUICK_END_SECONDS
