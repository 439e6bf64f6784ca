"""The first thing a newcomer types."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from docker_engine import docker

pytestmark = pytest.mark.docker


def test_the_demo_ends_with_no_failed_request_and_leaves_nothing() -> None:
    before = docker("ps", "-aq").split()
    done = subprocess.run(
        [sys.executable, "-m", "homeport", "demo", "--requests", "1500"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sent = re.search(r"Requests sent: +(\d+) \((\d+) from v1, (\d+) from v2\)", done.stdout)
    assert sent is not None
    assert int(sent.group(1)) >= 1500
    assert int(sent.group(2)) + int(sent.group(3)) == int(sent.group(1))
    assert re.search(r"Requests failed: 0\b", done.stdout)
    assert set(docker("ps", "-aq").split()) <= set(before)
    assert not list(Path(tempfile.gettempdir()).glob("homeport-demo-*"))
