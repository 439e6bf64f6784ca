"""The events of log streams: segment files that are only appended to, a folder per stream.

Owns ``logs/`` of the data directory; the operations of CloudWatch Logs append and read, the
controller of log events expires and deletes. A batch is one frame, written whole before
``append`` returns: what was acknowledged is there after a ``kill -9``, and a frame that was torn
by one is cut off. It is not synced: a power failure may take the last seconds. Memory holds some
numbers per 64 KB, never events.
"""

from __future__ import annotations

from .log_store import LogStore, Position
from .merge import Place, read_all, read_all_back, stream_key
from .segment import Event

__all__ = [
    "Event",
    "LogStore",
    "Place",
    "Position",
    "read_all",
    "read_all_back",
    "stream_key",
]
