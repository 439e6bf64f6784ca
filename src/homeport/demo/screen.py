"""What a person sees: a live view in a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from .requests import Requests
from .service import TaskSeen

_COLUMNS = ("task", "revision", "status", "instance", "host port", "target", "answers")
_COLOURS = {"healthy": "green", "RUNNING": "green", "draining": "yellow", "unhealthy": "red"}


@dataclass
class Step:
    """One step; ``seconds`` once it is over."""

    title: str
    began: float = field(default_factory=time.monotonic)
    seconds: float | None = None
    failed: bool = False


class Screen:
    """Told what happens; shows it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._spinner = Spinner("dots")
        self._rate = (time.monotonic(), 0, 0.0)
        self.steps: list[Step] = []
        self.tasks: list[TaskSeen] = []
        self.trouble = ""
        self.requests: Requests | None = None
        if console.is_terminal:
            self._live = Live(console=console, refresh_per_second=8, get_renderable=self._render)

    def __enter__(self) -> Screen:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def begin(self, title: str) -> None:
        """A step begins."""
        self.steps.append(Step(title))
        if not self._live:
            self._console.print(f"... {title}")

    def end(self, failed: bool = False) -> None:
        """The step that began last is over."""
        step = self.steps[-1]
        step.seconds, step.failed = time.monotonic() - step.began, failed
        if not self._live:
            mark = "FAILED" if failed else "ok"
            self._console.print(f"{mark}  {step.title} ({step.seconds:.1f} s){self._counts()}")

    def see(self, tasks: list[TaskSeen]) -> None:
        """These tasks run now; without a terminal, a line for each that is new or changed."""
        if not self._live:
            for task in tasks:
                if task not in self.tasks:
                    self.say(_line(task))
            for gone in {task.task_id for task in self.tasks} - {task.task_id for task in tasks}:
                self.say(f"    task {gone[:8]}  gone")
        self.tasks, self.trouble = tasks, ""

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _counts(self) -> str:
        if self.requests is None:
            return ""
        return f"  [{self.requests.sent} requests, {len(self.requests.failures)} failed]"

    def _render(self) -> RenderableType:
        parts: list[RenderableType] = [self._steps()]
        if self.tasks:
            parts.append(self._task_table())
        if self.trouble:
            parts.append(Text(self.trouble, "red"))
        if self.requests is not None:
            parts.append(self._traffic(self.requests))
        return Group(*parts)

    def _steps(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for step in self.steps:
            mark: RenderableType = self._spinner
            if step.seconds is not None:
                mark = Text("✗", "red") if step.failed else Text("✓", "green")
            seconds = step.seconds
            if seconds is None:
                seconds = time.monotonic() - step.began
            table.add_row(mark, step.title, Text(f"{seconds:.1f} s", "dim"))
        return table

    def _task_table(self) -> Table:
        table = Table(title="Tasks", title_justify="left")
        for column in _COLUMNS:
            table.add_column(column)
        for task in self.tasks:
            table.add_row(
                task.task_id[:8],
                task.revision,
                Text(task.status, _COLOURS.get(task.status, "yellow")),
                task.instance,
                str(task.host_port or ""),
                Text(task.health, _COLOURS.get(task.health, "dim")),
                str(self.requests.of_host(task.host)) if self.requests else "",
            )
        return table

    def _traffic(self, requests: Requests) -> Text:
        began, sent, rate = self._rate
        now = time.monotonic()
        if now - began >= 1.0:
            rate = (requests.sent - sent) / (now - began)
            self._rate = (now, requests.sent, rate)
        versions = requests.versions()
        answered = sum(versions.values()) or 1
        shares = ", ".join(f"{v}: {n} ({n / answered:.0%})" for v, n in versions.items())
        failed = len(requests.failures)
        text = Text(f"\n{requests.sent} requests ({rate:.0f}/s)  {shares}  failed: ")
        return text.append(str(failed), "red" if failed else "green")


def _line(task: TaskSeen) -> str:
    where = f"on {task.instance}" + (f" port {task.host_port}" if task.host_port else "")
    name = f"task {task.task_id[:8]}  {task.revision}"
    return f"    {name}  {task.status}  {where}  target {task.health}"
