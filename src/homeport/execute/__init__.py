"""``homeport exec``: the client's end of a session of ExecuteCommand.

Asks the public API, speaks the same channel as the session-manager-plugin does, and knows two
things more: without a terminal at this end there is none in the container, so that bytes pass
unchanged; and it ends with the command's exit code.
"""

from __future__ import annotations

from .client import ExecuteError, run_command

__all__ = ["ExecuteError", "run_command"]
