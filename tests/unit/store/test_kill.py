"""``kill -9`` at any moment loses nothing that was acknowledged."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from journals import ITEMS, OTHERS, open_store, sqlite

ROUNDS = 20
WRITER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from journals import ITEMS, OTHERS, Item, open_store, sqlite

async def main():
    store = open_store(sqlite(Path(sys.argv[1])))
    store.start()
    async def write(lane):
        number = 0
        while True:
            key = f"{sys.argv[3]}-{lane}-{number}"
            with store.transaction() as tx:  # one commit over two tables
                tx.put(ITEMS, Item(key, "red", number))
                tx.put(OTHERS, Item(key, None, number))
            await store.durable(store.revision)
            sys.stdout.write(key + "\\n")
            sys.stdout.flush()
            number += 1
    await asyncio.gather(*(write(lane) for lane in range(8)))

asyncio.run(main())
"""


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    chance = random.Random(19)
    acknowledged: set[str] = set()
    here = str(Path(__file__).parent)
    for number in range(ROUNDS):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), here, str(number)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        assert select.select([descriptor], [], [], 20)[0], "the writer has written something"
        time.sleep(chance.uniform(0, 0.05))  # the random moment itself, not a wait
        process.send_signal(signal.SIGKILL)
        said = b""
        while chunk := os.read(descriptor, 65536):
            said += chunk
        process.wait(10)
        whole_lines = said[: said.rfind(b"\n") + 1]
        acknowledged.update(whole_lines.decode().split())
        store = open_store(sqlite(tmp_path))
        with store.transaction() as tx:
            items = {item.key for item in tx.all(ITEMS)}
            others = {item.key for item in tx.all(OTHERS)}
        assert acknowledged <= items
        assert items == others, "a commit is there as a whole or not at all"
    assert len(acknowledged) > ROUNDS
