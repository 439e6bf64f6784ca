"""What the demo shows and counts, and how it waits, without an Engine."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from aiohttp import web
from rich.console import Console

from homeport.demo import DemoFailed
from homeport.demo.requests import Requests
from homeport.demo.screen import Screen
from homeport.demo.service import TaskSeen
from homeport.demo.summary import summarize
from homeport.demo.waiting import to_the_end, until


def task(**changed: object) -> TaskSeen:
    seen: dict[str, object] = {
        "task_id": "aaaaaaaabbbb",
        "revision": "web:1",
        "status": "PENDING",
        "instance": "12345678",
        "host_port": None,
        "health": "-",
        "container_id": "c0ffee" * 10,
    }
    return TaskSeen(**{**seen, **changed})  # type: ignore[arg-type]


async def test_every_answer_that_is_not_the_page_counts_as_failed() -> None:
    pages = iter([(200, "h1 answers with v1"), (200, "hello"), (503, "h2 answers with v2")])

    async def page(request: web.Request) -> web.Response:
        status, text = next(pages, (200, "h2 answers with v2"))
        if requests.sent > 5:
            requests.stop()
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    requests = Requests(f"http://127.0.0.1:{port}/", per_second=500, connections=1)
    async with asyncio.timeout(10):
        await requests.run()
    await runner.cleanup()
    assert requests.sent == 6
    assert requests.failures == ["200 'hello'", "503 'h2 answers with v2'"]
    assert requests.versions() == {"v1": 1, "v2": 3}
    assert requests.of_host("h2") == 3
    assert len(requests.latencies) == 4


async def test_a_request_that_finds_nobody_counts_as_failed() -> None:
    requests = Requests("http://127.0.0.1:1/", per_second=500, connections=1)

    class StopAtTheFirst(list[str]):
        def append(self, failure: str) -> None:
            super().append(failure)
            requests.stop()

    requests.failures = StopAtTheFirst()
    async with asyncio.timeout(10):
        await requests.run()
    assert requests.sent == 1
    assert requests.failures[0].startswith("ClientConnectorError: Cannot connect")


async def test_waiting_in_vain_says_for_what_what_was_seen_and_where_to_read() -> None:
    async def look() -> tuple[None, str]:
        return None, "one of two"

    with pytest.raises(DemoFailed) as failed:
        await until("two tasks", look, 0.01, Path("/x/up.log"))
    for words in ("two tasks", "one of two", "/x/up.log"):
        assert words in str(failed.value)


async def test_cleaning_up_is_finished_although_it_is_cancelled_twice() -> None:
    go, done = asyncio.Event(), []

    async def cleaning() -> None:
        await go.wait()
        done.append(True)

    running = asyncio.create_task(to_the_end(cleaning()))
    for _ in range(2):
        await asyncio.sleep(0)
        running.cancel()
    await asyncio.sleep(0)
    assert not running.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert done == [True]


def test_without_a_terminal_each_change_is_a_line() -> None:
    output = io.StringIO()
    with Screen(Console(file=output, width=40)) as screen:
        screen.begin("Roll to web:2")
        screen.see([task()])
        screen.see([task()])
        running = task(status="RUNNING", host_port=40000, health="healthy")
        screen.see([running])
        screen.see([])
        screen.end()
    lines = output.getvalue().splitlines()
    assert lines[:-1] == [
        "... Roll to web:2",
        "    task aaaaaaaa  web:1  PENDING  on 12345678  target -",
        "    task aaaaaaaa  web:1  RUNNING  on 12345678 port 40000  target healthy",
        "    task aaaaaaaa  gone",
    ]
    assert lines[-1].startswith("ok  Roll to web:2 (")


def test_in_a_terminal_the_table_says_what_runs_where() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=100, height=40)
    with Screen(console) as screen:
        screen.begin("Roll to web:2")
        screen.requests = Requests("", 1.0)
        screen.requests.answers["c0ffeec0ffee", "v1"] = 3
        screen.requests.answers["other", "v2"] = 1
        screen.see([task(status="RUNNING", host_port=40000, health="draining")])
    shown = output.getvalue()
    for words in ("web:1", "RUNNING", "40000", "draining", "v1: 3 (75%)", "v2: 1 (25%)"):
        assert words in shown


def test_the_summary_shows_the_first_failures_only() -> None:
    output = io.StringIO()
    console = Console(file=output, width=200)
    requests = Requests("", 1.0, sent=9, failures=[f"503 [{n}]" for n in range(7)])
    screen = Screen(console)
    screen.begin("Steady requests")
    screen.end()
    summarize(console, screen, requests)
    said = output.getvalue()
    assert "Requests failed: 7" in said
    assert "failed: 503 [4]" in said
    assert "503 [5]" not in said
