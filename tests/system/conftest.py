"""A real control plane with a real agent, Docker Engine and Envoy, one per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane import ControlPlane


@pytest.fixture
def control_plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """``homeport up`` with its local agent connected."""
    plane = ControlPlane(tmp_path)
    try:
        plane.start()
        plane.wait_for_instance()
        yield plane
    finally:
        plane.clean_up()
