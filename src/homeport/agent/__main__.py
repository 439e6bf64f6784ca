"""``python -m homeport.agent``: an agent configured by its environment."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys

import uvloop

from . import DataDirError, RegistrationRefused, SettingsError, run_agent
from .settings import AgentSettings, settings_from_environment


def main() -> None:
    """Run until SIGTERM or SIGINT; exits 2 with one clear line when it can't."""
    logging.basicConfig(
        level=os.environ.get("HOMEPORT_AGENT_LOG_LEVEL", "INFO"),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        uvloop.run(run_until_signal(settings_from_environment(os.environ)))
    except (SettingsError, DataDirError, RegistrationRefused) as error:
        print(f"homeport agent: {error}", file=sys.stderr)
        sys.exit(2)


async def run_until_signal(settings: AgentSettings) -> None:
    """Run the agent; a signal ends it in order and leaves its containers running."""
    agent = asyncio.create_task(run_agent(settings), name="agent")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, agent.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await agent


if __name__ == "__main__":
    main()
