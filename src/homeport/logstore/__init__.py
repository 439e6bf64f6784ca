"""The events of log streams: segment files that are only appended to, a folder per stream.

Owns ``logs/`` of the data directory; to be called by the operations of CloudWatch Logs. A batch
is one frame, written whole before ``append`` returns: what was acknowledged is there after a
``kill -9``, and a frame that was torn by one is cut off. It is not synced: a power failure may
take the last seconds. Memory holds a line per segment, never events.
"""

from __future__ import annotations

from .log_store import LogStore
from .segment import Event

__all__ = ["Event", "LogStore"]
