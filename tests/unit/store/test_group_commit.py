"""Group commit over any engine: told only when durable, flushes shared, fail-stop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from journals import (
    DEADLINE_SECONDS,
    ENGINES,
    Item,
    OpenEngine,
    Wrapped,
    kept,
    open_store,
    put,
)

from homeport.store.journal import Engine, GroupCommit, Write

every_engine = pytest.mark.parametrize("open_engine", ENGINES.values(), ids=ENGINES)


class Held(Wrapped):
    """Each flush waits until it is let go; remembers which revisions went together."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.let_go = threading.Event()
        self.arrived = threading.Event()
        self.flushed: list[list[int]] = []

    def flush(self, commits: Sequence[tuple[int, Sequence[Write]]]) -> None:
        self.arrived.set()
        assert self.let_go.wait(DEADLINE_SECONDS)
        super().flush(commits)
        self.flushed.append([revision for revision, _ in commits])


class Failing(Wrapped):
    """Breaks when told to, as a full disk does."""

    failing = False

    def flush(self, commits: Sequence[tuple[int, Sequence[Write]]]) -> None:
        if self.failing:
            raise OSError("the disk is gone")
        super().flush(commits)


@every_engine
async def test_nobody_is_told_before_it_is_on_disk(open_engine: OpenEngine, tmp_path: Path) -> None:
    engine = Held(open_engine(tmp_path))
    store = open_store(GroupCommit(engine))
    store.start()
    put(store, Item("a"))
    waiting = asyncio.ensure_future(store.durable(store.revision))
    assert await asyncio.to_thread(engine.arrived.wait, DEADLINE_SECONDS)
    other = open_engine(tmp_path)
    assert (kept(other), waiting.done()) == ({}, False)
    engine.let_go.set()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await waiting
    assert ("items", "a") in kept(other)
    other.close()
    await store.close()


@every_engine
async def test_commits_that_arrive_during_a_flush_share_the_next(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    engine = Held(open_engine(tmp_path))
    store = open_store(GroupCommit(engine))
    store.start()

    async def write(number: int) -> None:
        put(store, Item(str(number)))
        await store.durable(store.revision)

    first = asyncio.ensure_future(write(0))
    assert await asyncio.to_thread(engine.arrived.wait, DEADLINE_SECONDS)
    others = [asyncio.ensure_future(write(number)) for number in range(1, 100)]
    await asyncio.sleep(0)  # each has committed and waits now
    assert store.revision == 100
    engine.let_go.set()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.gather(first, *others)
    assert engine.flushed == [[1], list(range(2, 101))]
    await store.close()


@every_engine
async def test_a_failed_flush_tells_nobody_that_it_is_durable(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    engine = Failing(open_engine(tmp_path))
    loop, failed = asyncio.get_running_loop(), asyncio.Event()
    errors: list[Exception] = []

    def on_failure(error: Exception) -> None:
        errors.append(error)
        loop.call_soon_threadsafe(failed.set)

    journal = GroupCommit(engine, on_failure)
    store = open_store(journal)
    store.start()
    put(store, Item("a"))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await store.durable(store.revision)
    engine.failing = True
    put(store, Item("b"))
    waiting = asyncio.ensure_future(store.durable(store.revision))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await failed.wait()
    engine.failing = False
    put(store, Item("c"))  # nothing is written after a failure, or "c" would be there without "b"
    journal.close()
    assert not waiting.done()
    assert [str(error) for error in errors] == ["the disk is gone"]
    again = open_engine(tmp_path)
    assert [key for _, key in kept(again)] == ["a"]
    again.close()
    waiting.cancel()


FAILING_PROCESS = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from journals import ENGINES, Item, Wrapped, open_store, put
from homeport.store.journal import GroupCommit

class Broken(Wrapped):
    def flush(self, commits):
        raise OSError("the disk is gone")

async def main():
    store = open_store(GroupCommit(Broken(ENGINES[sys.argv[3]](Path(sys.argv[1])))))
    store.start()
    put(store, Item("a"))
    await store.durable(store.revision)
    print("acknowledged")

asyncio.run(main())
"""


@pytest.mark.parametrize("name", ENGINES)
def test_a_failed_flush_stops_the_process(name: str, tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    ended = subprocess.run(
        [sys.executable, "-c", FAILING_PROCESS, str(tmp_path), here, name],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (70, "")
    assert "journal flush failed, stopping the process: the disk is gone" in ended.stderr
