"""Which containers can be told to start a session: one control channel for each."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from homeport.agent.backoff import Backoff
from homeport.agent.credentials import CredentialStore
from homeport.agent.engine import Engine
from homeport.agent.settings import AgentSettings, Credentials
from homeport.agent.task_state import TaskState, wants_execute
from homeport.datachannel.contents import Started, TaskComplete, message, read_start_session
from homeport.datachannel.messages import MalformedMessage, Message, decode, encode
from homeport.domain.arn import last_segment
from homeport.domain.execute import channel_id

from .channels import ChannelDenied, ChannelError, ChannelGone, Channels, ChannelSocket
from .session import SessionFailed, ShellSession
from .transcript import Transcript

logger = logging.getLogger(__name__)

STABLE_SECONDS = 30.0
MAX_SESSIONS = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """A running container in which sessions may begin."""

    task_arn: str
    cluster_arn: str
    name: str
    docker_id: str
    has_role: bool = False

    @property
    def channel(self) -> str:
        """The id of its control channel."""
        return channel_id(
            last_segment(self.cluster_arn), last_segment(self.task_arn), self.docker_id
        )


@dataclass(frozen=True, slots=True)
class ExecuteAgentSeen:
    """Sessions may begin in a container; ``reason``: what keeps them from it, if something does."""

    name: str
    docker_id: str
    reason: str


Tell = Callable[[ExecuteAgentSeen], None]


class ExecuteTargets:
    """Keeps the control channels of the containers it is given. ``run`` must be running."""

    def __init__(
        self, engine: Engine, channels: Channels, credentials_of: Callable[[Target], Credentials]
    ) -> None:
        self._engine = engine
        self._channels = channels
        self._credentials_of = credentials_of
        self._kept: dict[Target, asyncio.Task[None]] = {}
        self._work: asyncio.TaskGroup | None = None
        self._owners: dict[str, Tell] = {}
        self._sessions: set[str] = set()

    async def run(self) -> None:
        """Until cancelled; every session ends then."""
        async with asyncio.TaskGroup() as work:
            self._work = work
            await asyncio.Event().wait()

    def follow(self, task: TaskState, tell: Tell) -> None:
        """The task as its owner sees it now: a channel for each container that runs and wants one.

        Sessions in a container that has stopped end by themselves: their command has ended.
        """
        running = set(_targets(task))
        for target in [t for t in self._kept if t.task_arn == task.arn and t not in running]:
            self._kept.pop(target).cancel()
        if not running:
            self._owners.pop(task.arn, None)
            return
        self._owners[task.arn] = tell
        assert self._work is not None, "run() comes first"
        for target in running - self._kept.keys():
            keeping = self._work.create_task(self._keep(target), name=target.channel)
            self._kept[target] = keeping

    def _tell(self, target: Target, reason: str = "") -> None:
        if (tell := self._owners.get(target.task_arn)) is not None:
            tell(ExecuteAgentSeen(target.name, target.docker_id, reason))

    async def _keep(self, target: Target) -> None:
        backoff = Backoff(0.2, 15.0, 1.5)
        while True:
            began = time.monotonic()
            try:
                await self._serve(target)
            except ChannelDenied as error:
                logger.warning("%s: %s", target.channel, error)
                self._tell(target, str(error))
            except (ChannelError, ConnectionError) as error:
                logger.info("%s: %s", target.channel, error)
            if time.monotonic() - began > STABLE_SECONDS:
                backoff.reset()
            await asyncio.sleep(backoff.next())

    async def _serve(self, target: Target) -> None:
        credentials = self._credentials_of(target)
        async with self._channels.open("control", target.channel, credentials) as control:
            self._tell(target)
            while True:
                try:
                    said = decode(await control.receive())
                    if said.type == "interactive_shell":
                        self._begin(target, control, said)
                except MalformedMessage as error:
                    logger.warning("%s: %s", target.channel, error)

    def _begin(self, target: Target, control: ChannelSocket, said: Message) -> None:
        started = read_start_session(said)
        session_id = started.session_id
        if session_id in self._sessions or len(self._sessions) >= MAX_SESSIONS:
            logger.warning("%s: refused", session_id)
            return
        self._sessions.add(session_id)
        assert self._work is not None
        self._work.create_task(self._session(target, control, started), name=session_id)

    async def _session(self, target: Target, control: ChannelSocket, started: Started) -> None:
        session_id = started.session_id
        logger.info("%s: begins in %s", session_id, target.channel)
        status, output = "Success", ""
        try:
            credentials = self._credentials_of(target)
            async with self._channels.open("data", session_id, credentials) as data:
                writer = self._channels.writer(credentials)
                transcript = Transcript(writer, started.inputs, session_id)
                session = ShellSession(self._engine, target.docker_id, started, data, transcript)
                await session.run()
        except (SessionFailed, ChannelDenied) as error:
            status, output = "Failed", str(error)
        except (ChannelGone, ChannelError, ConnectionError) as error:
            status = "Failed"
            logger.info("%s: %s", session_id, error)
        except Exception:  # the outer edge of one session: the others go on
            logger.exception("%s failed", session_id)
            status = "Failed"
        finally:
            self._sessions.discard(session_id)
        await self._complete(control, session_id, status, output)

    async def _complete(
        self, control: ChannelSocket, session_id: str, status: str, output: str
    ) -> None:
        logger.info("%s: over, %s %s", session_id, status, output)
        complete = TaskComplete(task_id=session_id, final_task_status=status, output=output)
        said = message("agent_task_complete", complete, uuid.uuid4(), time.time())
        try:
            await control.send(encode(said))
        except ConnectionError as error:
            logger.info("%s: its end can't be told: %s", session_id, error)


def _targets(task: TaskState) -> Iterator[Target]:
    payload = task.payload
    for state in task.containers:
        if state.status == "RUNNING" and wants_execute(task, state.name):
            yield Target(
                task_arn=task.arn,
                cluster_arn=payload.task_cluster_arn,
                name=state.name,
                docker_id=state.docker_id,
                has_role=payload.role_credentials is not None,
            )


def role_credentials(
    settings: AgentSettings, store: CredentialStore, target: Target
) -> Credentials:
    """As whom a container's channels are opened: its task's role, as on AWS.

    A task without a role, which AWS would not have started, has its host's.
    """
    if not target.has_role:
        return settings.credentials
    role = store.of(target.task_arn).task_role
    if role is None:
        raise ChannelError("the credentials of the task's role have not come yet")
    return Credentials(role.access_key_id, role.secret_access_key, role.session_token)
