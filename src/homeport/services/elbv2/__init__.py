"""Elastic Load Balancing v2: application load balancers, in AWS's words.

Called by the gateway. Owns the desired side of load balancing (load balancers, listeners, rules,
target groups, targets); states and target health are observed and written by ``traffic``.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.services.call import Handler

from . import attributes, limits, listeners, load_balancers, rules, tags, target_groups, targets

OPERATIONS: Mapping[str, Handler] = {
    **load_balancers.OPERATIONS,
    **listeners.OPERATIONS,
    **rules.OPERATIONS,
    **target_groups.OPERATIONS,
    **targets.OPERATIONS,
    **attributes.OPERATIONS,
    **tags.OPERATIONS,
    **limits.OPERATIONS,
}
