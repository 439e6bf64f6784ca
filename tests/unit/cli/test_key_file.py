"""The key files of the data directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeport.bootstrap import KEY_BYTES, StartError, key_file


def test_a_key_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "session.key"
    key = key_file(path)
    assert len(key) == KEY_BYTES
    assert key_file(path) == key
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_is_named_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "session.key"
    path.write_bytes(b"short")
    with pytest.raises(StartError, match=r"session\.key is damaged: it has 5 bytes"):
        key_file(path)
    assert path.read_bytes() == b"short"
