"""What is sealed opens with its key for its owner, and for nobody else."""

from __future__ import annotations

import pytest

from homeport.domain.vault import Sealed, Vault, WrongKey

KEY, OTHER = bytes(32), bytes(31) + b"\x01"


def test_a_value_comes_back_and_is_never_sealed_the_same_twice() -> None:
    vault = Vault(KEY)
    first, second = (vault.seal_text("hunter2", "mine") for _ in range(2))
    assert first != second
    assert b"hunter2" not in first.data
    assert vault.open_text(first, "mine") == vault.open_text(second, "mine") == "hunter2"


def test_another_key_another_owner_and_damage_are_refused() -> None:
    sealed = Vault(KEY).seal(b"hunter2", "mine")
    damaged = Sealed(sealed.data[:-1] + bytes([sealed.data[-1] ^ 1]))
    for vault, value, owner in (
        (Vault(OTHER), sealed, "mine"),
        (Vault(KEY), sealed, "yours"),
        (Vault(KEY), damaged, "mine"),
        (Vault(KEY), Sealed(b""), "mine"),
    ):
        with pytest.raises(WrongKey):
            vault.open(value, owner)
