"""What was acknowledged is kept, and comes back in the order of time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from homeport.logstore import LogStore

WRITER = """
import sys
from pathlib import Path
from homeport.logstore import LogStore
store = LogStore(Path(sys.argv[1]), segment_bytes=50_000)
number = 0
while True:
    store.append("s", [(number + i, f"line {number + i}") for i in range(100)], 1)
    number += 100
    print(number, flush=True)
"""


def test_events_come_back_by_time_whatever_order_they_came_in(tmp_path: Path) -> None:
    store = LogStore(tmp_path, segment_bytes=2_000)
    times = list(range(1_000))
    random.Random(1).shuffle(times)
    for at in range(0, 1_000, 50):
        store.append("s", [(t, str(t)) for t in times[at : at + 50]], ingested=7)
    assert [e.timestamp for e in store.read("s", 0, 10_000)] == list(range(1_000))
    assert [e.timestamp for e in LogStore(tmp_path).read("s", 10, 20)] == list(range(10, 20))
    assert store.span("s") == (0, 999, 7)


def test_reading_back_is_reading_turned_round(tmp_path: Path) -> None:
    chance = random.Random(2)
    store = LogStore(tmp_path, segment_bytes=200_000)
    for batch in range(300):  # many blocks, their times overlapping and equal
        first = batch * 10 + chance.randrange(30)
        times = sorted(first + chance.randrange(40) for _ in range(chance.randrange(1, 60)))
        store.append("s", [(t, f"{batch}.{n}" * 10) for n, t in enumerate(times)], ingested=1)
    forwards = list(store.read("s", 100, 2_500))
    assert [event.position for event in forwards] == sorted(e.position for e in forwards)
    assert list(store.read_back("s", 100, 2_500)) == forwards[::-1]
    for at in (0, 1, 777, len(forwards) - 1):
        position = forwards[at].position
        assert list(store.read("s", 100, 2_500, after=position)) == forwards[at + 1 :]
        assert list(store.read_back("s", 100, 2_500, before=position)) == forwards[:at][::-1]
    assert list(LogStore(tmp_path).read("s", 100, 2_500)) == forwards, "the same after a restart"


def test_a_batch_that_is_damaged_on_disk_is_left_out(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    for n in range(3):
        store.append("s", [(n, f"batch {n}")], ingested=1)
    (path,) = tmp_path.rglob("*.seg")
    path.write_bytes(path.read_bytes().replace(b"batch 1", b"botch 1"))
    assert [event.message for event in store.read("s", 0, 100)] == ["batch 0", "batch 2"]


def test_zeros_that_a_power_failure_left_at_the_end_are_cut_off(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    store.append("s", [(1, "whole")], ingested=1)
    (path,) = tmp_path.rglob("*.seg")
    with open(path, "ab") as file:
        file.write(bytes(5_000))
    again = LogStore(tmp_path)
    again.append("s", [(2, "after")], ingested=1)
    assert [event.message for event in again.read("s", 0, 100)] == ["whole", "after"]


def test_no_position_is_given_twice_after_everything_expired(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    store.append("s", [(1, "old")], ingested=1)
    (old,) = store.read("s", 0, 100)
    store.expire("s", before=10)
    assert store.stored_bytes("s") == 0
    again = LogStore(tmp_path)
    again.append("s", [(1, "new")], ingested=1)
    (new,) = again.read("s", 0, 100)
    assert new.position > old.position


def test_reading_goes_on_behind_a_position(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    store.append("s", [(5, "a"), (5, "b"), (5, "c"), (6, "d")], ingested=1)
    first = next(store.read("s", 0, 100))
    rest = store.read("s", 0, 100, after=first.position)
    assert [event.message for event in rest] == ["b", "c", "d"]


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(200):
            acknowledged = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
    store = LogStore(tmp_path)
    times = [event.timestamp for event in store.read("s", 0, 1 << 60)]
    assert len(times) >= acknowledged
    assert times == list(range(len(times)))


@pytest.mark.parametrize("cut", [1, 20, 40])
def test_a_torn_batch_is_cut_off_and_writing_goes_on(tmp_path: Path, cut: int) -> None:
    store = LogStore(tmp_path)
    store.append("s", [(1, "whole")], ingested=1)
    store.append("s", [(2, "torn" * 20)], ingested=1)
    (path,) = tmp_path.rglob("*.seg")
    os.truncate(path, path.stat().st_size - cut)
    again = LogStore(tmp_path)
    again.append("s", [(3, "after")], ingested=1)
    assert [event.message for event in again.read("s", 0, 100)] == ["whole", "after"]


def test_old_segments_expire_and_streams_are_deleted(tmp_path: Path) -> None:
    store = LogStore(tmp_path, segment_bytes=1)
    for t in range(5):
        store.append("s", [(t, "x")], ingested=t)
    store.append("other", [(1, "kept")], ingested=1)
    store.expire("s", before=3)
    assert [event.timestamp for event in store.read("s", 0, 100)] == [3, 4]
    store.delete("s")
    assert list(store.read("s", 0, 100)) == []
    assert store.span("s") is None
    assert [event.message for event in store.read("other", 0, 100)] == ["kept"]


def test_a_batch_has_one_to_ten_thousand_events(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    for events in ([], [(1, "x")] * 10_001):
        with pytest.raises(ValueError, match="1 to 10000"):
            store.append("s", events, ingested=1)
