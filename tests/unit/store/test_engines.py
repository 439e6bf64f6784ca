"""What an engine promises to the journal above it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from journals import ENGINES, ITEMS, Item, OpenEngine, document, kept, open_store, rows

from homeport.store.journal import GroupCommit, SqliteEngine

every_engine = pytest.mark.parametrize("open_engine", ENGINES.values(), ids=ENGINES)


@every_engine
def test_a_new_database_is_empty(open_engine: OpenEngine, tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    assert (kept(engine), engine.last_revision()) == ({}, 0)
    engine.close()


@every_engine
def test_commits_apply_in_order_and_are_there_when_opened_again(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    engine = open_engine(tmp_path)
    engine.flush(
        [
            (1, [("items", "a", b"1"), ("others", "a", b"2")]),
            (2, [("items", "a", b"3"), ("items", "b", b"4"), ("items", "c", b"5")]),
            (3, [("items", "b", None), ("items", "never", None)]),
        ]
    )
    engine.flush([(4, [("items", "c", None), ("items", "é|日", b"6")])])
    engine.close()
    again = open_engine(tmp_path)
    assert kept(again) == {("items", "a"): b"3", ("others", "a"): b"2", ("items", "é|日"): b"6"}
    assert again.last_revision() == 4
    again.close()


@every_engine
def test_what_was_flushed_is_seen_from_elsewhere_at_once(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    engine = open_engine(tmp_path)
    engine.flush([(1, [("items", "a", b"1")])])
    other = open_engine(tmp_path)  # nothing was closed: as after a crash
    assert (kept(other), other.last_revision()) == ({("items", "a"): b"1"}, 1)
    other.close()
    engine.close()


@every_engine
def test_a_flush_is_all_or_nothing(open_engine: OpenEngine, tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    engine.flush([(1, [("items", "a", b"1")])])
    not_text: Any = "\ud800"
    with pytest.raises(UnicodeEncodeError):
        engine.flush(
            [(2, [("items", "a", b"2")]), (3, [("items", "b", b"3"), (not_text, "c", b"")])]
        )
    assert (kept(engine), engine.last_revision()) == ({("items", "a"): b"1"}, 1)
    engine.flush([(2, [("items", "b", b"2")])])  # and it can go on
    assert engine.last_revision() == 2
    engine.close()


@every_engine
def test_records_of_an_earlier_and_of_a_later_version_are_read(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    """Fields that this version has and the document lacks get defaults; others are passed over."""
    engine = open_engine(tmp_path)
    from_tomorrow = b'{"key":"b","colour":"red","size":2,"weight":{"new":[1]}}'
    engine.flush([(1, [("items", "a", b'{"key":"a"}'), ("items", "b", from_tomorrow)])])
    engine.close()
    store = open_store(GroupCommit(open_engine(tmp_path)))
    assert rows(store) == {"a": Item("a"), "b": Item("b", "red", 2)}
    again = open_engine(tmp_path)
    assert kept(again)["items", "b"] == from_tomorrow, "reading rewrites nothing"
    again.close()


@every_engine
@pytest.mark.parametrize("content", [b'{"colour":"red"}', b'{"key":1}', b"{", b""])
def test_a_record_that_cannot_be_read_is_named(
    open_engine: OpenEngine, tmp_path: Path, content: bytes
) -> None:
    engine = open_engine(tmp_path)
    engine.flush([(1, [("items", "the-bad-one", content)])])
    engine.close()
    with pytest.raises(ValueError, match=r"'the-bad-one' of table 'items'"):
        open_store(GroupCommit(open_engine(tmp_path)))


@every_engine
def test_a_table_that_this_version_lacks_is_refused(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    engine = open_engine(tmp_path)
    engine.flush([(1, [("tables_of_tomorrow", "a", document(Item("a")))])])
    engine.close()
    with pytest.raises(ValueError, match="tables_of_tomorrow"):
        open_store(GroupCommit(open_engine(tmp_path)))


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    SqliteEngine(tmp_path / "journal.sqlite").close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as database:
        database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(ValueError, match="newer Homeport"):
        SqliteEngine(tmp_path / "journal.sqlite")


def test_the_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "journal.sqlite")
    engine.flush([(1, [(ITEMS.name, "a", b"{}")])])
    modes = {file.name: file.stat().st_mode & 0o077 for file in tmp_path.iterdir()}
    assert modes == dict.fromkeys(modes, 0), "its write-ahead log too"
    engine.close()


def test_a_commit_survives_the_power_too(tmp_path: Path) -> None:
    """A killed process can't show this: the kernel still writes what it was given."""
    engine = SqliteEngine(tmp_path / "journal.sqlite")
    pragmas = [
        engine._db.execute(f"PRAGMA {n}").fetchone()[0] for n in ("journal_mode", "synchronous")
    ]
    assert pragmas == ["wal", 2], "2 is FULL: the log is synced at each commit"
    engine.close()
