"""A ``homeport up`` of the benchmark's own, and the Engine it is compared with."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "system"))

from control_plane import ControlPlane


@contextmanager
def running(*, agent: bool = True) -> Iterator[ControlPlane]:
    """With its local agent connected, unless there is to be none."""
    with tempfile.TemporaryDirectory(prefix="homeport-benchmark-") as directory:
        plane = ControlPlane(Path(directory), options=() if agent else ("--no-agent",))
        try:
            plane.start()
            if agent:
                plane.wait_for_instance()
            yield plane
        finally:
            plane.clean_up()
