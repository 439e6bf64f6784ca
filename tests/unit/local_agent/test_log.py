"""The local agent's log has an end."""

from __future__ import annotations

import os
from pathlib import Path

from homeport.local_agent import bound


def test_a_long_log_begins_anew_and_its_newest_part_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "agent.log"
    descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        os.write(descriptor, b"old " * 10 + b"new " * 25)
        bound(log, 100)
        assert log.read_bytes() == b""
        kept = tmp_path / "agent.log.1"
        assert kept.read_bytes() == b"new " * 25
        assert kept.stat().st_mode & 0o777 == 0o600
        os.write(descriptor, b"next")
        assert log.read_bytes() == b"next", "its writer goes on in the same file, from the start"
        bound(log, 100)
        assert log.read_bytes() == b"next"
        os.write(descriptor, b"x" * 200)
        bound(log, 100)
        assert kept.read_bytes() == b"x" * 100
    finally:
        os.close(descriptor)


def test_a_log_that_is_not_there_yet(tmp_path: Path) -> None:
    bound(tmp_path / "agent.log", 100)
    assert list(tmp_path.iterdir()) == []
