"""``kill -9`` at any moment loses nothing acknowledged and leaves nothing half-written."""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from journals import DEADLINE_SECONDS, DURABLE, OTHERS, Item, OpenJournal, open_store, rows

ROUNDS = 20
LANES = 8
# A commit: one row in each of two tables, and its lane's former row in OTHERS taken away.
WRITER = """
import asyncio, os, sys
from pathlib import Path
directory, tests, name, start, lanes = sys.argv[1:]
sys.path.insert(0, tests)
from journals import DURABLE, ITEMS, OTHERS, Item, open_store

async def main():
    store = open_store(DURABLE[name](Path(directory)))
    store.start()
    async def write(lane):
        number = 0
        while True:
            key = f"{start}.{lane}.{number}"
            with store.transaction() as tx:
                tx.put(ITEMS, Item(key, f"lane {lane}", number))
                tx.put(OTHERS, Item(f"{start}.{lane}", key, number))
                tx.delete(ITEMS, f"{start}.{lane}.{number - 10}")
            await store.durable(store.revision)
            os.write(1, f"{key}\\n".encode())
            number += 1
    await asyncio.gather(*(write(lane) for lane in range(int(lanes))))

asyncio.run(main())
"""


@pytest.mark.parametrize("name", DURABLE)
def test_nothing_acknowledged_is_lost_by_a_kill(name: str, tmp_path: Path) -> None:
    chance = random.Random(19)
    last_said: dict[str, int] = {}  # start.lane → the highest number acknowledged
    revision = 0
    for round_number in range(ROUNDS):
        # Mostly amid the writing; every fifth while the process still starts or loads.
        starting = round_number % 5 == 4
        delay = chance.uniform(0, 0.3) if starting else chance.uniform(0, 0.08)
        for line in _killed(name, tmp_path, round_number, delay, wait_for_first=not starting):
            lane, _, number = line.rpartition(".")
            last_said[lane] = max(last_said.get(lane, -1), int(number))
        revision = _check(DURABLE[name], tmp_path, last_said, revision)
    assert len(last_said) >= LANES * ROUNDS // 2, "it was killed while it wrote, not before"


def _killed(
    name: str, directory: Path, start: int, delay: float, *, wait_for_first: bool
) -> Iterable[str]:
    """What a writer said before it was killed; a last line without its end was not said."""
    tests = str(Path(__file__).parent)
    arguments = [str(directory), tests, name, str(start), str(LANES)]
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    try:
        if wait_for_first:
            assert select.select([descriptor], [], [], DEADLINE_SECONDS)[0], "it never wrote"
        time.sleep(delay)  # the random moment itself, not a wait for something
        assert process.poll() is None, process.communicate()[1].decode()
    finally:
        process.kill()
    said = b""
    while chunk := os.read(descriptor, 65536):
        said += chunk
    process.communicate(timeout=DEADLINE_SECONDS)
    return said[: said.rfind(b"\n") + 1].decode().split()


def _check(
    open_journal: OpenJournal, directory: Path, last_said: dict[str, int], revision: int
) -> int:
    journal = open_journal(directory)
    store = open_store(journal)
    items, others = rows(store), rows(store, OTHERS)
    for lane, said in last_said.items():
        assert others[lane].size >= said, f"lane {lane} has lost what was acknowledged"
    for lane, last in others.items():
        # Each commit took part as a whole: the ten newest of the lane and no others.
        newest = range(max(0, last.size - 9), last.size + 1)
        colour = f"lane {lane.split('.')[1]}"
        whole = {f"{lane}.{n}": Item(f"{lane}.{n}", colour, n) for n in newest}
        assert {k: v for k, v in items.items() if k.rpartition(".")[0] == lane} == whole
        assert last == Item(lane, f"{lane}.{last.size}", last.size)
    assert {key.rpartition(".")[0] for key in items} == set(others)
    assert store.revision >= revision
    assert store.revision == sum(last.size + 1 for last in others.values()), "one for each commit"
    journal.close()
    return store.revision
