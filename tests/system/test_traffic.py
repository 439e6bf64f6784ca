"""Load balancers on a real Envoy: what clients see through every change and every crash.

No Docker: targets are small processes on loopback addresses.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from traffic_records import fixed, forward, group, listener, load_balancer, rule, target

from homeport.domain.load_balancing import Action, Condition, Target, TargetGroup
from homeport.store import Store
from homeport.store.journal import MemoryJournal
from homeport.store.schema import (
    LISTENERS,
    LOAD_BALANCERS,
    RULES,
    TABLES,
    TARGET_GROUPS,
    TARGET_HEALTH,
    TARGETS,
)
from homeport.traffic import Traffic, TrafficSettings
from homeport.traffic.envoy import find_running

BACKEND = Path(__file__).with_name("traffic_backend.py")
WORKERS = 16


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def eventually(
    what: str, look: Callable[[], Any | Awaitable[Any]], seconds: float = 10
) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = look()
        if isinstance(seen, Awaitable):
            seen = await seen
        if seen:
            return seen
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


@dataclass
class World:
    """A store, traffic over it, and targets. Everything ends with ``close``."""

    directory: Path
    store: Store = field(default_factory=lambda: Store(TABLES, MemoryJournal()))
    traffic: Traffic | None = None
    running: asyncio.Task[None] | None = None
    backends: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def settings(self) -> TrafficSettings:
        return TrafficSettings(self.directory, hosts_path=None)

    @property
    def envoys(self) -> list[int]:
        return find_running(self.settings.directory.resolve() / "envoy.json")

    def start(self) -> None:
        self.traffic = Traffic(self.store, self.settings)
        self.running = asyncio.create_task(self.traffic.run())

    async def die(self) -> None:
        """As ``kill -9`` of the control plane: Envoy and the store's content stay."""
        assert self.running is not None
        self.running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.running

    async def close(self) -> None:
        await self.die()
        assert self.traffic is not None
        await self.traffic.stop()
        for name in list(self.backends):
            await self.kill(name)
        assert self.envoys == []

    def put(self, table: Any, *records: Any) -> None:
        with self.store.transaction() as tx:
            for record in records:
                tx.put(table, record)

    def get(self, table: Any, key: str) -> Any:
        with self.store.transaction() as tx:
            return tx.get(table, key)

    async def backend(self, of: TargetGroup, name: str, address: str, *options: str) -> Target:
        """Start a target process; returns its (not yet registered) target."""
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(BACKEND),
            address,
            str(port),
            name,
            *options,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"listening\n"
        self.backends[name] = process
        return target(of, address, port)

    async def kill(self, name: str) -> None:
        process = self.backends.pop(name)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()

    def state(self, of: Target) -> str:
        health = self.get(TARGET_HEALTH, of.key)
        return health.state if health else "none"

    async def healthy(self, *targets: Target) -> None:
        await eventually("healthy", lambda: all(self.state(t) == "healthy" for t in targets))

    async def serve(self, *actions: Action, rules: tuple[Any, ...] = ()) -> Any:
        """A load balancer with one listener on ``port``; returns once it is active."""
        balancer = load_balancer()
        serving = listener(balancer, *actions, port=self.port)
        self.put(LOAD_BALANCERS, balancer)
        self.put(LISTENERS, serving)
        self.put(RULES, *[rule(serving, n, c, a) for n, (c, a) in enumerate(rules, 1)])
        await eventually("active", lambda: self.get(LOAD_BALANCERS, balancer.arn).state == "active")
        await self.answering()
        return serving

    async def answering(self) -> None:
        async def look() -> bool:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return True
            return False

        await eventually("the port answers", look)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def get_text(self, path: str = "/", **headers: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.url + path, headers=headers, allow_redirects=False) as response,
        ):
            return response.status, await response.text()


@dataclass
class Load:
    """Steady requests while its block runs; every answer that is not 200 is a failure."""

    url: str
    method: str = "GET"
    bodies: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return self.bodies.total() + len(self.failures)

    async def __aenter__(self) -> Load:
        self._workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]
        self._stop = asyncio.Event()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.gather(*self._workers)

    async def more(self, count: int) -> None:
        """Wait for this many further requests."""
        until = self.sent + count
        await eventually("requests were sent", lambda: self.sent >= until, 30)

    async def _work(self) -> None:
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            end = time.monotonic() + 60
            while not self._stop.is_set() and time.monotonic() < end:
                await self._request(session)
                await asyncio.sleep(0.002)

    async def _request(self, session: aiohttp.ClientSession) -> None:
        try:
            async with session.request(self.method, self.url) as response:
                body = await response.text()
                if response.status == 200:
                    self.bodies[body] += 1
                else:
                    self.failures.append(f"{response.status} {body}")
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failures.append(repr(error))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    world.start()
    yield world
    await world.close()


async def test_nothing_runs_until_there_is_a_load_balancer(world: World) -> None:
    await asyncio.sleep(0)
    assert world.envoys == []
    world.put(LOAD_BALANCERS, load_balancer())
    await eventually(
        "active", lambda: world.get(LOAD_BALANCERS, load_balancer().arn).state == "active"
    )
    assert len(world.envoys) == 1


async def test_requests_reach_the_targets_with_an_albs_headers(world: World) -> None:
    blue = group()
    world.put(TARGET_GROUPS, blue)
    world.put(TARGETS, await world.backend(blue, "one", "127.0.0.2"))
    await world.serve(forward((blue, 1)))
    status, head = await world.get_text("/headers?a=1", **{"X-Forwarded-For": "203.0.113.7"})
    assert status == 200
    lines = head.lower().splitlines()
    assert lines[0] == "get /headers?a=1 http/1.1"
    assert f"host: 127.0.0.1:{world.port}" in lines
    assert "x-forwarded-for: 203.0.113.7,127.0.0.1" in lines
    assert "x-forwarded-proto: http" in lines
    assert f"x-forwarded-port: {world.port}" in lines
    assert not [line for line in lines if line.startswith("x-envoy")]


async def test_rules_are_tried_in_order_of_priority(world: World) -> None:
    conditions = [
        [Condition("path-pattern", ("/img/*", "/a?c"))],
        [Condition("host-header", ("*.example.com",)), Condition("path-pattern", ("/h",))],
        [Condition("http-header", ("*Chrome*",), http_header_name="User-Agent")],
        [Condition("query-string", query_pairs=(("version", "v1"), ("", "*deep*")))],
        [Condition("http-request-method", ("PUT", "DELETE"))],
        [Condition("source-ip", ("127.0.0.0/8",)), Condition("path-pattern", ("/local",))],
        [Condition("source-ip", ("10.0.0.0/8",)), Condition("path-pattern", ("/far",))],
    ]
    rules = tuple((c, fixed("200", f"rule {n}")) for n, c in enumerate(conditions, 1))
    await world.serve(fixed("200", "default"), rules=rules)

    async def said(path: str, **headers: str) -> str:
        return (await world.get_text(path, **headers))[1]

    assert await said("/img/x/y.png?q") == "rule 1"
    assert await said("/abc") == "rule 1"
    assert await said("/abbc") == "default"
    assert await said("/h", Host="WWW.Example.com:80") == "rule 2"
    assert await said("/h", Host="example.com") == "default"
    assert await said("/", **{"User-Agent": "like chrome/1"}) == "rule 3"
    assert await said("/?x=1&VERSION=V1") == "rule 4"
    assert await said("/?version=v2") == "default"
    assert await said("/?anything=in-deep-water") == "rule 4"
    assert await said("/local") == "rule 6"
    assert await said("/far") == "default"
    async with aiohttp.ClientSession() as session, session.delete(world.url) as response:
        assert await response.text() == "rule 5"


async def test_redirects_and_answers_of_its_own_look_like_an_albs(world: World) -> None:
    empty = group("empty")
    world.put(TARGET_GROUPS, empty)

    def redirect(**fields: str) -> Action:
        return Action("redirect", status_code="HTTP_301", **fields)

    rules = (
        (
            [Condition("path-pattern", ("/tls/*",))],
            redirect(protocol="HTTPS", port="443", query="#{query}"),
        ),
        ([Condition("path-pattern", ("/old/*",))], redirect(path="/new/#{path}", query="")),
        (
            [Condition("path-pattern", ("/far",))],
            redirect(host="example.org", path="/x/#{path}", query="from=here&#{query}"),
        ),
        ([Condition("path-pattern", ("/text",))], fixed("404", "<b>no</b>", "text/html")),
    )
    await world.serve(forward((empty, 1)), rules=rules)
    async with aiohttp.ClientSession() as session:

        async def answer(path: str) -> Any:
            response = await session.get(world.url + path, allow_redirects=False)
            await response.read()
            assert response.headers["server"] == "awselb/2.0"
            return response

        tls = await answer("/tls/a?b=1")
        assert (tls.status, tls.headers["location"]) == (301, "https://127.0.0.1:443/tls/a?b=1")
        old = await answer("/old/a?b=1")
        assert old.headers["location"] == f"http://127.0.0.1:{world.port}/new/old/a"
        far = await answer("/far?b=1")
        assert far.headers["location"] == f"http://example.org:{world.port}/x/far?from=here&b=1"
        text = await answer("/text")
        assert (text.status, await text.text()) == (404, "<b>no</b>")
        assert text.headers["content-type"] == "text/html"
        none = await answer("/")
        assert none.status == 503
        assert "<h1>503 Service Temporarily Unavailable</h1>" in await none.text()
        assert none.headers["content-type"] == "text/html"


async def test_a_target_that_refuses_everything_is_a_502(world: World) -> None:
    blue = group()
    world.put(TARGET_GROUPS, blue)
    world.put(TARGETS, target(blue, "127.0.0.2", free_port()))
    await world.serve(forward((blue, 1)))
    status, body = await world.get_text()
    assert status == 502
    assert "502 Bad Gateway" in body


async def test_weights_swap_under_load_without_a_failed_request(world: World) -> None:
    blue, green = group("blue"), group("green")
    world.put(TARGET_GROUPS, blue, green)
    targets = [
        await world.backend(blue, "blue", "127.0.0.2"),
        await world.backend(green, "green", "127.0.0.3"),
    ]
    world.put(TARGETS, *targets)
    serving = await world.serve(forward((blue, 100), (green, 0)))
    await world.healthy(*targets)
    async with Load(world.url) as load:
        for turn in range(20):
            weights = (0, 100) if turn % 2 == 0 else (100, 0)
            action = forward((blue, weights[0]), (green, weights[1]))
            world.put(LISTENERS, msgspec.structs.replace(serving, default_actions=(action,)))
            await load.more(100)
    assert load.failures == []
    assert min(load.bodies["blue"], load.bodies["green"]) > 500


async def test_a_new_group_takes_over_under_load_without_a_failed_request(world: World) -> None:
    """Clusters, endpoints and routes come and go: the order leaves no gap."""
    first = group("g0")
    world.put(TARGET_GROUPS, first)
    backend = await world.backend(first, "one", "127.0.0.2")
    world.put(TARGETS, backend)
    serving = await world.serve(forward((first, 1)))
    async with Load(world.url) as load:
        for turn in range(1, 16):
            new, old = group(f"g{turn}"), group(f"g{turn - 1}")
            moved = msgspec.structs.replace(backend, target_group_arn=new.arn)
            with world.store.transaction() as tx:
                tx.put(TARGET_GROUPS, new)
                tx.put(TARGETS, moved)
                tx.put(
                    LISTENERS,
                    msgspec.structs.replace(serving, default_actions=(forward((new, 1)),)),
                )
                tx.delete(TARGET_GROUPS, old.arn)
            await load.more(60)
    assert load.failures == []


@pytest.mark.parametrize("keep_alive", ["5", "0.05"])
async def test_a_target_killed_under_load_costs_no_request(world: World, keep_alive: str) -> None:
    """Even when the target also closes its idle connections all the time."""
    blue = group()
    world.put(TARGET_GROUPS, blue)
    targets = [await world.backend(blue, f"t{n}", f"127.0.0.{n}", keep_alive) for n in (2, 3, 4)]
    world.put(TARGETS, *targets)
    await world.serve(forward((blue, 1)))
    await world.healthy(*targets)
    async with Load(world.url) as load:
        await load.more(200)
        await world.kill("t2")
        await load.more(300)  # nobody has told Envoy yet
        with world.store.transaction() as tx:
            tx.put(TARGETS, msgspec.structs.replace(targets[0], draining_since=time.time()))
        await load.more(300)
        await world.kill("t3")
        await load.more(300)
    assert load.failures == []
    assert load.bodies["t4"] > load.bodies["t2"]


async def test_a_draining_target_finishes_its_requests_and_gets_no_new_one(world: World) -> None:
    blue = group(attributes={"deregistration_delay.timeout_seconds": "2"})
    world.put(TARGET_GROUPS, blue)
    leaving = await world.backend(blue, "leaving", "127.0.0.2")
    staying = await world.backend(blue, "staying", "127.0.0.3")
    world.put(TARGETS, leaving)
    await world.serve(forward((blue, 1)))
    await world.healthy(leaving)
    in_flight = asyncio.create_task(world.get_text("/slow?1"))
    await asyncio.sleep(0.2)
    world.put(TARGETS, staying)
    await world.healthy(staying)
    world.put(TARGETS, msgspec.structs.replace(leaving, draining_since=time.time()))
    await asyncio.sleep(0.05)
    async with Load(world.url) as load:
        await load.more(200)
    assert load.failures == []
    assert load.bodies["leaving"] == 0
    assert await in_flight == (200, "leaving")
    await eventually("the row is gone", lambda: world.get(TARGETS, leaving.key) is None)
    assert world.get(TARGET_HEALTH, leaving.key) is None


async def test_health_checks_decide_who_gets_requests(world: World) -> None:
    checks = {"health_check_interval_seconds": 1, "health_check_timeout_seconds": 1}
    blue = group(health_check_path="/status/200", **checks)
    world.put(TARGET_GROUPS, blue)
    targets = [
        await world.backend(blue, "one", "127.0.0.2"),
        await world.backend(blue, "two", "127.0.0.3"),
    ]
    world.put(TARGETS, *targets)
    await eventually("unused", lambda: world.state(targets[0]) == "unused")
    await world.serve(forward((blue, 1)))
    await world.healthy(*targets)
    await world.kill("two")
    await eventually("unhealthy", lambda: world.state(targets[1]) == "unhealthy")
    health = world.get(TARGET_HEALTH, targets[1].key)
    assert (health.reason, health.description) == (
        "Target.FailedHealthChecks",
        "Health checks failed",
    )
    world.put(TARGET_GROUPS, msgspec.structs.replace(blue, health_check_path="/status/502"))
    await eventually("both unhealthy", lambda: world.state(targets[0]) == "unhealthy")
    health = world.get(TARGET_HEALTH, targets[0].key)
    assert health.description == "Health checks failed with these codes: [502]"
    assert await world.get_text() == (200, "one")  # fails open
    slow = msgspec.structs.replace(blue, health_check_path="/slow?3")
    world.put(TARGET_GROUPS, slow)
    await eventually(
        "timed out", lambda: world.get(TARGET_HEALTH, targets[0].key).reason == "Target.Timeout"
    )
    world.put(TARGET_GROUPS, blue)
    await world.healthy(targets[0])


async def test_a_busy_port_is_refused_readably_and_taken_once_it_is_free(world: World) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", world.port))
        busy.listen()
        balancer = load_balancer()
        world.put(LOAD_BALANCERS, balancer)
        world.put(LISTENERS, listener(balancer, fixed("200", "yes"), port=world.port))

        def failed() -> Any:
            seen = world.get(LOAD_BALANCERS, balancer.arn)
            return seen.state == "failed" and seen.state_reason

        assert await eventually("failed", failed) == (
            f"Port {world.port} can't be opened on 127.0.0.1: another program uses it. "
            "Stop that program or use another port."
        )
    await eventually("active", lambda: world.get(LOAD_BALANCERS, balancer.arn).state == "active")
    assert await world.get_text() == (200, "yes")


async def test_the_control_plane_dies_and_returns_without_a_failed_request(world: World) -> None:
    blue = group()
    world.put(TARGET_GROUPS, blue)
    targets = [
        await world.backend(blue, "one", "127.0.0.2"),
        await world.backend(blue, "two", "127.0.0.3"),
    ]
    world.put(TARGETS, targets[0])
    await world.serve(forward((blue, 1)))
    await world.healthy(targets[0])
    [envoy] = world.envoys
    async with Load(world.url) as load:
        for _ in range(5):
            await world.die()
            await load.more(60)
            world.start()
            await load.more(60)
        assert world.envoys == [envoy]
        world.put(TARGETS, targets[1])
        await world.healthy(targets[1])
        await eventually("the new target is used", lambda: load.bodies["two"] > 20)
    assert load.failures == []


async def test_envoy_is_started_again_when_it_dies(world: World) -> None:
    await world.serve(fixed("200", "yes"))
    [envoy] = world.envoys
    os.kill(envoy, signal.SIGKILL)
    await eventually("another envoy", lambda: world.envoys not in ([], [envoy]))
    await world.answering()
    assert await world.get_text() == (200, "yes")


async def test_two_load_balancers_cannot_share_a_port(world: World) -> None:
    await world.serve(fixed("200", "first"))
    second = load_balancer("second")
    world.put(LOAD_BALANCERS, second)
    world.put(LISTENERS, listener(second, fixed("200", "second"), port=world.port))
    seen = await eventually(
        "failed",
        lambda: (lb := world.get(LOAD_BALANCERS, second.arn)).state == "failed" and lb,
    )
    assert "another load balancer listens on it" in seen.state_reason
    assert await world.get_text() == (200, "first")


async def test_sticky_clients_return_to_their_target(world: World) -> None:
    blue = group(attributes={"stickiness.enabled": "true", "stickiness.type": "lb_cookie"})
    world.put(TARGET_GROUPS, blue)
    targets = [await world.backend(blue, f"t{n}", f"127.0.0.{n}") for n in (2, 3, 4)]
    world.put(TARGETS, *targets)
    await world.serve(forward((blue, 1)))
    await world.healthy(*targets)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        bodies = set()
        for _ in range(20):
            async with session.get(world.url) as response:
                bodies.add(await response.text())
    assert len(bodies) == 1
    assert {cookie.key for cookie in jar} == {"AWSALB"}


async def test_sticky_groups_keep_a_client(world: World) -> None:
    blue, green = group("blue"), group("green")
    world.put(TARGET_GROUPS, blue, green)
    targets = [
        await world.backend(blue, "blue", "127.0.0.2"),
        await world.backend(green, "green", "127.0.0.3"),
    ]
    world.put(TARGETS, *targets)
    await world.serve(forward((blue, 1), (green, 1), stickiness=60))
    await world.healthy(*targets)
    for _ in range(5):
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            bodies = set()
            for _ in range(10):
                async with session.get(world.url) as response:
                    bodies.add(await response.text())
            assert len(bodies) == 1
