"""What this host can do that not every host can: told to the control plane as attributes, so that
only tasks come here that can run here."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass

from . import awslogs
from .commands import PATH
from .engine import EngineFacts
from .metadata.address import claim_address
from .settings import AgentSettings

logger = logging.getLogger(__name__)

ROLES = (
    "com.amazonaws.ecs.capability.task-iam-role",
    "com.amazonaws.ecs.capability.task-iam-role-network-host",
)
INTERFACES = ("ecs.capability.task-eni",)
TASK_LIMITS = ("ecs.capability.task-cpu-mem-limit",)
NETWORK_TOOLS = ("ip", "nft", "nsenter")


@dataclass(frozen=True, slots=True)
class Abilities:
    """``serves_tasks``: 169.254.170.2 is on this host. ``attaches_interfaces``: awsvpc.
    ``task_limits``: a control group for each task. ``ships_logs``: the awslogs driver."""

    serves_tasks: bool
    attaches_interfaces: bool
    task_limits: bool
    ships_logs: bool

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names as the official agent registers them."""
        return (
            *(ROLES if self.serves_tasks else ()),
            *(INTERFACES if self.attaches_interfaces else ()),
            *(TASK_LIMITS if self.task_limits else ()),
            *(awslogs.CAPABILITIES if self.ships_logs else ()),
        )


async def look(settings: AgentSettings, engine: EngineFacts, *, task_limits: bool) -> Abilities:
    """Find out; what is missing is said in the log."""
    serves_tasks = await claim_address()
    return Abilities(
        serves_tasks=serves_tasks,
        attaches_interfaces=serves_tasks and has_network(settings),
        task_limits=task_limits,
        ships_logs=serves_tasks and "awslogs" in engine.log_drivers,
    )


def has_network(settings: AgentSettings) -> bool:
    """Whether namespaces of the Engine's containers can be reached, and rules be made."""
    if not settings.docker_url.startswith("unix://"):
        logger.warning("no awsvpc tasks here: the Engine is not on this machine's own socket")
        return False
    missing = [tool for tool in NETWORK_TOOLS if shutil.which(tool, path=PATH) is None]
    if missing:
        logger.warning("no awsvpc tasks here: %s missing (homeport doctor)", ", ".join(missing))
    return not missing
