"""When a deployment has failed.

Source: "How the Amazon ECS deployment circuit breaker detects failures", developer guide: tasks
that fail to reach RUNNING count, and tasks that are replaced because a health check failed them;
a task that becomes healthy takes the count back to 0. The threshold is half the desired count,
at least 3 and at most 200.
"""

from __future__ import annotations

import math

from homeport.domain.service import CircuitBreaker

LEAST, MOST = 3, 200


def threshold(breaker: CircuitBreaker, desired_count: int) -> int:
    """How many failures make the deployment FAILED."""
    if breaker.threshold_type == "COUNT":
        return breaker.value
    share = math.ceil(desired_count * breaker.value / 100)
    if breaker.threshold_type == "UNBOUNDED_PERCENT":
        return max(1, share)
    return min(max(share, LEAST), MOST)


def trips(breaker: CircuitBreaker, failed_tasks: int, desired_count: int) -> bool:
    """Whether the deployment has failed now."""
    return breaker.enable and failed_tasks >= threshold(breaker, desired_count)
