"""The key files of the data directory."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from homeport.bootstrap import KEY_BYTES, StartError, key_file, open_vault
from homeport.domain.credential import AccessKey
from homeport.domain.parameter import ParameterVersion
from homeport.domain.vault import Sealed
from homeport.settings import Settings
from homeport.store import Store
from homeport.store.journal.memory import MemoryJournal
from homeport.store.schema import ACCESS_KEYS, PARAMETER_VERSIONS, TABLES


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


def test_a_vault_whose_key_is_lost_or_another_one_is_not_opened(tmp_path: Path) -> None:
    settings, store = Settings(data_dir=tmp_path), Store(TABLES, MemoryJournal())
    version = ParameterVersion("/p", 1, Sealed(), "SecureString", 0.0, "root")
    sealed = open_vault(settings, store).seal(b"hunter2", version.owner)
    with store.transaction() as tx:
        tx.put(PARAMETER_VERSIONS, replace(version, value=sealed))
    assert open_vault(settings, store).open(sealed, version.owner) == b"hunter2"
    settings.vault_key_path.write_bytes(bytes(KEY_BYTES))
    with pytest.raises(StartError, match="is not the key"):
        open_vault(settings, store)
    settings.vault_key_path.unlink()
    with pytest.raises(StartError, match="is missing"):
        open_vault(settings, store)
    assert not settings.vault_key_path.exists()


def test_a_users_key_is_reason_enough_to_ask_for_the_vaults_key(tmp_path: Path) -> None:
    settings, store = Settings(data_dir=tmp_path), Store(TABLES, MemoryJournal())
    sealed = open_vault(settings, store).seal_text("secret", "AKIA1")
    key = AccessKey("AKIA1", "", "arn:aws:iam::1:user/a", "user", 0.0, sealed_secret=sealed)
    with store.transaction() as tx:
        tx.put(ACCESS_KEYS, key)
    assert key.secret(open_vault(settings, store)) == "secret"
    settings.vault_key_path.unlink()
    with pytest.raises(StartError, match="is missing"):
        open_vault(settings, store)
