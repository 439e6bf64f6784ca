"""Load balancers on Envoy: the data plane that carries every byte of user traffic.

Owns the one Envoy process of a data directory, the xDS server that feeds it, the health checks
of targets, the end of their draining, and the load balancers' names in the hosts file. Called
by ``bootstrap`` only; meets everything else in the store.

It reads load balancers, listeners, rules, target groups and targets, and writes three things:
a load balancer's state (what Envoy accepted), target health (what a check saw), and the
removal of targets whose draining is over.

Invariants: no request passes through Python; Envoy is never given an empty or partial state
when the control plane restarts; a change reaches Envoy in an order that leaves no gap.
"""

from .settings import TrafficSettings
from .traffic import Traffic

__all__ = ["Traffic", "TrafficSettings"]
