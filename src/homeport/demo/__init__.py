"""The demonstration: a service behind a load balancer, watched while things happen to it.

Called by ``homeport demo``. It is a user like any other: it starts a Homeport of its own as a
child process and speaks to it only through the public API. Everything it shows was observed:
tasks and targets through the API, answers through the load balancer's port.
"""

from __future__ import annotations

from .clean_up import EXPECTED
from .story import DemoFailed, DemoOptions, run_demo

__all__ = ["EXPECTED", "DemoFailed", "DemoOptions", "run_demo"]
