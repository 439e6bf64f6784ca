"""Sticky sessions with Envoy's stateful-session filter (pure).

Differences from an ALB: the cookie carries Max-Age instead of Expires, there is no AWSALBCORS
copy, and application-based stickiness (``app_cookie``) is not served.
"""

from __future__ import annotations

import hashlib

from homeport.domain.load_balancing import TargetGroup

from .conditions import Json

TARGET_COOKIE = "AWSALB"
GROUP_COOKIE = "AWSALBTG"
FILTER = "envoy.filters.http.stateful_session"
_TYPES = "type.googleapis.com/envoy.extensions"
_COOKIE_STATE = f"{_TYPES}.http.stateful_session.cookie.v3.CookieBasedSessionState"
_DEFAULT_SECONDS = "86400"


def group_cookie_value(target_group_arn: str) -> str:
    """What the group cookie says: opaque, stable."""
    return hashlib.sha256(target_group_arn.encode()).hexdigest()[:24]


def is_sticky(group: TargetGroup) -> bool:
    """Whether the load balancer binds a client to a target of this group."""
    attributes = group.attributes
    return (
        attributes.get("stickiness.enabled") == "true"
        and attributes.get("stickiness.type", "lb_cookie") == "lb_cookie"
    )


def session_override(group: TargetGroup) -> Json | None:
    """The per-route configuration of the stateful-session filter, None if not sticky."""
    if not is_sticky(group):
        return None
    seconds = group.attributes.get("stickiness.lb_cookie.duration_seconds", _DEFAULT_SECONDS)
    return {
        FILTER: {
            "@type": f"{_TYPES}.filters.http.stateful_session.v3.StatefulSessionPerRoute",
            "stateful_session": {
                "session_state": {
                    "name": "envoy.http.stateful_session.cookie",
                    "typed_config": {
                        "@type": _COOKIE_STATE,
                        "cookie": {"name": TARGET_COOKIE, "path": "/", "ttl": f"{seconds}s"},
                    },
                }
            },
        }
    }


def session_filter() -> Json:
    """The filter itself: does nothing on routes without an override."""
    return {
        "name": FILTER,
        "typed_config": {"@type": f"{_TYPES}.filters.http.stateful_session.v3.StatefulSession"},
    }
