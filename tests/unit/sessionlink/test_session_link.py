"""Sessions: who may open a channel, what passes from end to end, and how it ends."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from session_world import AGENT, CHANNEL, TASK, TASK_ID, TOKEN, Peer, World, session_world

from homeport.datachannel.contents import SessionState, TaskComplete
from homeport.datachannel.messages import MAX_PAYLOAD
from homeport.domain.execute import ExecuteTarget
from homeport.store.schema import EXECUTE_SESSIONS, EXECUTE_TARGETS, TASKS


async def closed(peer: Peer) -> int:
    async with asyncio.timeout(5):
        await peer.closing.wait()
    assert peer.closed is not None
    return peer.closed


async def test_what_one_end_says_the_other_hears() -> None:
    async with session_world() as world:
        client, agent = await world.session_of(await world.control())
        agent.says("output_stream_data", b"hello")
        client.says("input_stream_data", b"ls\r")
        client.says("acknowledge", b"{}")
        assert (await client.hears()).payload == b"hello"
        assert (await agent.hears()).payload == b"ls\r"
        assert (await agent.hears()).type == "acknowledge"


async def test_the_end_of_the_command_ends_the_session_for_both() -> None:
    async with session_world() as world:
        client, agent = await world.session_of(await world.control())
        agent.says("output_stream_data", b"bye")
        agent.says_content(
            "agent_session_state", SessionState(session_id="s1", session_state="Terminating")
        )
        assert (await client.hears()).payload == b"bye"
        assert await client.hears_the_end() == ""
        assert await agent.hears_the_end() == ""
        await closed(client)
        assert world.session() is None


async def test_what_failed_at_the_agents_end_is_told_to_the_client() -> None:
    async with session_world() as world:
        control = await world.control()
        client, _ = await world.session_of(control)
        failed = TaskComplete(task_id="s1", final_task_status="Failed", output="Unable to start")
        control.says_content("agent_task_complete", failed)
        assert await client.hears_the_end() == "Unable to start"


async def test_a_client_that_leaves_ends_the_session_at_the_agents_end() -> None:
    async with session_world() as world:
        client, agent = await world.session_of(await world.control())
        client.leaves()
        await agent.hears_the_end()
        await world.until(lambda: world.session() is None)


async def test_a_client_whose_agent_is_lost_is_told() -> None:
    async with session_world() as world:
        client, agent = await world.session_of(await world.control())
        agent.leaves()
        assert await client.hears_the_end() == "The connection to the container's agent was lost."


async def test_a_session_ends_with_its_task() -> None:
    async with session_world() as world:
        client, agent = await world.session_of(await world.control())
        world.stop_task()
        await client.hears_the_end()
        await agent.hears_the_end()


async def test_a_session_ends_when_its_record_is_deleted() -> None:
    async with session_world() as world:
        client, agent = await world.session_of(await world.control())
        with world.store.transaction() as tx:
            tx.delete(EXECUTE_SESSIONS, "s1")
        assert await client.hears_the_end() == ""
        await agent.hears_the_end()


async def test_an_idle_session_ends() -> None:
    async with session_world(idle_seconds=0.2) as world:
        client, _ = await world.session_of(await world.control())
        assert await client.hears_the_end() == "The session was idle for 20 minutes."


async def test_a_clients_token_admits_once() -> None:
    async with session_world() as world:
        await world.session_of(await world.control())
        second = world.connect("data", "s1", TOKEN, signed=False)
        assert await closed(second) == 1008


@pytest.mark.parametrize("token", ["", "guess", TOKEN.upper()])
async def test_no_other_token_admits(token: str) -> None:
    async with session_world() as world:
        await world.control()
        world.asks()
        await asyncio.sleep(0.01)
        assert await closed(world.connect("data", "s1", token, signed=False)) == 1008


async def test_an_expired_token_does_not_admit() -> None:
    async with session_world() as world:
        await world.control()
        world.asks()
        await asyncio.sleep(0.01)
        world.clock.now += 60
        assert await closed(world.connect("data", "s1", TOKEN, signed=False)) == 1008


async def test_an_agents_token_is_nothing_without_a_signature() -> None:
    async with session_world() as world:
        control = await world.control()
        world.asks()
        await control.hears()
        token = world.link.create_channel("data", "s1", AGENT)
        assert token
        assert await closed(world.connect("data", "s1", token, signed=False)) == 1008
        again = world.link.create_channel("control", CHANNEL, AGENT)
        assert again
        assert await closed(world.connect("control", CHANNEL, again, signed=False)) == 1008


async def test_a_clients_token_is_nothing_with_a_signature() -> None:
    async with session_world() as world:
        control = await world.control()
        world.asks()
        await control.hears()
        assert await closed(world.connect("data", "s1", TOKEN, signed=True)) == 1008


@pytest.mark.parametrize(
    ("side", "kind"),
    [
        ("client", "output_stream_data"),
        ("client", "channel_closed"),
        ("client", "agent_session_state"),
        ("agent", "input_stream_data"),
        ("agent", "interactive_shell"),
        ("agent", "channel_closed"),
    ],
)
async def test_an_end_may_not_speak_for_the_other(side: str, kind: str) -> None:
    async with session_world() as world:
        ends = dict(
            zip(("client", "agent"), await world.session_of(await world.control()), strict=True)
        )
        ends[side].says(kind, b"{}")  # type: ignore[arg-type]
        assert await closed(ends[side]) == 1008
        other = ends["agent" if side == "client" else "client"]
        await other.hears_the_end()


@pytest.mark.parametrize("noise", [b"", b"noise", "text", b"\0" * 200, bytes(MAX_PAYLOAD + 2048)])
async def test_noise_ends_the_session(noise: str | bytes) -> None:
    async with session_world() as world:
        client, agent = await world.session_of(await world.control())
        client.sent.put_nowait(noise)
        assert await closed(client) in (1008, 1009)
        await agent.hears_the_end()


async def test_a_session_asked_for_while_the_channel_was_gone_begins_when_it_is_back() -> None:
    async with session_world() as world:
        first = await world.control()
        first.leaves()
        await world.until(lambda: world.targets() == [])
        world.asks()
        await asyncio.sleep(0.01)
        control = await world.control()
        assert (await control.hears()).type == "interactive_shell"


async def test_the_newer_of_two_control_channels_counts() -> None:
    async with session_world() as world:
        older = await world.control()
        newer = world.agent("control", CHANNEL)
        await closed(older)
        world.asks()
        assert (await newer.hears()).type == "interactive_shell"
        assert world.targets() == [CHANNEL]


def changed(**fields: object) -> object:
    return msgspec.structs.replace(TASK, **fields)


@pytest.mark.parametrize(
    ("identifier", "task"),
    [
        (CHANNEL, changed(enable_execute_command=False)),
        (CHANNEL, changed(last_status="STOPPED")),
        (CHANNEL.replace("my_", "our_"), TASK),
        ("mi-0123456789", TASK),
        ("ecs:", TASK),
        ("ecs:a_b", TASK),
    ],
)
async def test_a_control_channel_is_for_tasks_that_run_with_execute_command(
    identifier: str, task: object
) -> None:
    async with session_world() as world:
        world.put(TASKS, task)
        assert world.link.create_channel("control", identifier, AGENT) is None


def role_session(name: str) -> str:
    return f"arn:aws:sts::123456789012:assumed-role/app/{name}"


@pytest.mark.parametrize(
    ("opener", "may"),
    [
        (AGENT, True),
        (role_session(TASK_ID), True),
        (role_session("a-host"), True),
        (role_session("1" * 32), False),
    ],
)
async def test_a_tasks_role_opens_the_channels_of_its_own_task_alone(
    opener: str, may: bool
) -> None:
    async with session_world() as world:
        control = await world.control()
        world.asks()
        await control.hears()
        assert (world.link.create_channel("control", CHANNEL, opener) is not None) is may
        assert (world.link.create_channel("data", "s1", opener) is not None) is may


async def test_there_is_no_channel_for_a_session_that_is_not() -> None:
    async with session_world() as world:
        assert world.link.create_channel("data", "s9", AGENT) is None


async def test_what_an_earlier_process_left_is_forgotten() -> None:
    world = World(1200.0)
    world.store.start()
    world.put(TASKS, TASK)
    world.put(EXECUTE_TARGETS, ExecuteTarget(CHANNEL, TASK.arn, 1.0))
    world.asks()
    running = asyncio.create_task(world.link.run())
    await asyncio.sleep(0.01)
    assert world.targets() == []
    assert world.session() is None
    running.cancel()
