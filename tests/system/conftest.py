"""Real control planes with a real agent, Docker Engine and Envoy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane import ControlPlane


@pytest.fixture
def control_plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """``homeport up`` with its local agent connected, for one test."""
    yield from running(tmp_path)


@pytest.fixture(scope="module")
def shared_control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The same for every test of a module: each uses families and services of its own."""
    yield from running(tmp_path_factory.mktemp("shared"))


def running(directory: Path) -> Iterator[ControlPlane]:
    plane = ControlPlane(directory)
    try:
        plane.start()
        plane.wait_for_instance()
        yield plane
    finally:
        plane.clean_up()
