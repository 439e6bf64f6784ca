"""One limit for a whole task: a control group that holds the groups of its containers.

The Engine puts a container's group under ``CgroupParent``; what all containers of a task use
together is bounded there, as the official agent does it. Needs the ``cgroupfs`` driver of the
Engine and a hierarchy that this agent may write; ``look`` says why there is none.

The files are the only state: making a group that is there changes nothing, so an agent that was
restarted goes on where it was. cgroup v1 has a tree per controller, v2 has one for all.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from homeport.domain.agent_payload import PayloadTask

from .engine import EngineFacts
from .settings import AgentSettings

logger = logging.getLogger(__name__)

ROOT = Path("/sys/fs/cgroup")
PERIOD_MICROSECONDS = 100_000
MIB = 1024 * 1024
CONTROLLERS = ("cpu", "memory")
ABANDONED_SECONDS = 3600.0


class CgroupsUnusable(Exception):
    """Why tasks can't have a limit of their own here, in words for the host's owner."""


@dataclass(frozen=True, slots=True)
class TaskCgroups:
    """The groups of tasks, all under ``parent`` (``/ecs``)."""

    version: int
    parent: str
    root: Path = ROOT

    def path_of(self, task: PayloadTask) -> str:
        """``CgroupParent`` of the task's containers; empty when the task has no limit."""
        if not task.cpu and not task.memory:
            return ""
        return f"{self.parent}/{quote(task.arn.rpartition('/')[2], safe='')}"

    def make(self, task: PayloadTask) -> str:
        """The task's group with its limits in force; returns ``path_of``. Raises OSError."""
        path = self.path_of(task)
        if path:
            for group in self._groups(path, CONTROLLERS):
                group.mkdir(parents=True, exist_ok=True)
            for file, value in self._limits(task, path):
                _write(file, value)
        return path

    def remove(self, task: PayloadTask) -> bool:
        """Whether the task's group is gone, in every tree; its containers must have ended."""
        path = self.path_of(task)
        groups = self._groups(path, self._trees()) if path else ()
        left = [group for group in groups if not _removed(group)]
        return not left

    def sweep(self, now: float) -> None:
        """Remove old groups that nothing is in: of agents whose data directory is gone.

        A group is made again before each container, so a task that only just has none loses
        nothing.
        """
        for parent in self._groups(self.parent, self._trees()):
            for group in parent.glob("*/"):
                with contextlib.suppress(OSError):  # something is in it, or it is gone
                    if now - group.stat().st_ctime > ABANDONED_SECONDS:
                        group.rmdir()

    def check(self) -> None:
        """Raise OSError unless groups can be made here; makes ``parent``."""
        for group in self._groups(self.parent, CONTROLLERS):
            group.mkdir(parents=True, exist_ok=True)
        if self.version == 2:
            steps = [self.root, *self._steps()]
            for group in steps:
                (group / "cgroup.subtree_control").write_text("+cpu +memory")

    def _steps(self) -> Iterator[Path]:
        path = self.root
        for name in self.parent.strip("/").split("/"):
            path /= name
            yield path

    def _trees(self) -> tuple[str, ...]:
        if self.version == 2:
            return ()
        return tuple(p.name for p in self.root.iterdir() if p.is_dir() and not p.is_symlink())

    def _groups(self, path: str, trees: tuple[str, ...]) -> list[Path]:
        relative = path.strip("/")
        if self.version == 2:
            return [self.root / relative]
        return [self.root / tree / relative for tree in trees]

    def _limits(self, task: PayloadTask, path: str) -> Iterator[tuple[Path, str]]:
        quota = int(task.cpu * PERIOD_MICROSECONDS)
        memory = str(task.memory * MIB)
        swapless = task.launch_type == "FARGATE"  # Fargate has no swap
        if self.version == 2:
            (group,) = self._groups(path, ())
            if task.cpu:
                yield group / "cpu.max", f"{quota} {PERIOD_MICROSECONDS}"
            if task.memory:
                yield group / "memory.max", memory
            if task.memory and swapless and (group / "memory.swap.max").exists():
                yield group / "memory.swap.max", "0"
            return
        cpu, mem = self._groups(path, CONTROLLERS)
        if task.cpu:
            yield cpu / "cpu.cfs_period_us", str(PERIOD_MICROSECONDS)
            yield cpu / "cpu.cfs_quota_us", str(quota)
            yield cpu / "cpu.shares", str(max(2, int(task.cpu * 1024)))
        if task.memory:
            yield mem / "memory.limit_in_bytes", memory
        if task.memory and swapless and (mem / "memory.memsw.limit_in_bytes").exists():
            yield mem / "memory.memsw.limit_in_bytes", memory


def look(settings: AgentSettings, engine: EngineFacts, root: Path = ROOT) -> TaskCgroups | None:
    """The groups of this host, or None with the reason in the log."""
    try:
        return usable(settings, engine, root)
    except CgroupsUnusable as reason:
        logger.warning(
            "task-level cpu and memory bound each container, not the task: %s; Fargate tasks"
            " are not taken",
            reason,
        )
        return None


def usable(settings: AgentSettings, engine: EngineFacts, root: Path = ROOT) -> TaskCgroups:
    """The groups of this host. Raises CgroupsUnusable."""
    if engine.cgroup_driver != "cgroupfs":
        raise CgroupsUnusable(
            f"the Engine's cgroup driver is {engine.cgroup_driver or 'unknown'}, not cgroupfs"
        )
    if not settings.docker_url.startswith("unix://"):
        raise CgroupsUnusable("the Engine is not on this machine's socket")
    cgroups = TaskCgroups(2 if engine.cgroup_version == "2" else 1, settings.cgroup_parent, root)
    try:
        cgroups.check()
    except OSError as error:
        raise CgroupsUnusable(f"{root} can't be written: {error}") from error
    return cgroups


def _write(file: Path, value: str) -> None:
    # Written again it could be refused: a task may use as much as its limit by now.
    if not file.exists() or file.read_text().strip() != value:
        file.write_text(value)


def _removed(group: Path) -> bool:
    """Remove a group and what a container may have left in it; false while something runs."""
    try:
        for child in group.iterdir():
            if child.is_dir():
                child.rmdir()
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError as error:
        logger.debug("%s can't be removed: %s", group, error)
        return False
    return True
