"""One frozen settings record for the control plane."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_REGION = "us-east-1"
DEFAULT_ACCOUNT_ID = "123456789012"


def default_data_dir() -> Path:
    """``$XDG_STATE_HOME/homeport``, or ``~/.local/state/homeport``."""
    state_home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state_home) / "homeport"


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``homeport up`` was asked for.

    ``host``/``port``: where the API listens. ``authenticate`` False accepts any credentials.
    ``run_agent``: start a local agent as a child process. ``traffic_address``: where load
    balancers listen. ``minimum_running_seconds``: how long a task without load balancer and
    health check must run to count as healthy.
    """

    data_dir: Path = field(default_factory=default_data_dir)
    host: str = "127.0.0.1"
    port: int = 4566
    authenticate: bool = True
    run_agent: bool = True
    stop_tasks_at_exit: bool = False
    account_id: str = DEFAULT_ACCOUNT_ID
    region: str = DEFAULT_REGION
    traffic_address: str = "127.0.0.1"
    minimum_running_seconds: float = 40.0
    default_cluster: str = "default"

    @property
    def endpoint_url(self) -> str:
        """Where clients of this machine reach the API."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{host}:{self.port}"

    @property
    def availability_zones(self) -> tuple[str, ...]:
        """The three zones of the region."""
        return tuple(f"{self.region}{letter}" for letter in "abc")

    @property
    def journal_path(self) -> Path:
        """The journal of the store."""
        return self.data_dir / "homeport.sqlite"

    @property
    def log_events_path(self) -> Path:
        """The events of log streams."""
        return self.data_dir / "logs"

    @property
    def credentials_path(self) -> Path:
        """The root access key, readable by its owner only."""
        return self.data_dir / "credentials.json"

    @property
    def session_key_path(self) -> Path:
        """The key that signs role sessions, readable by its owner only."""
        return self.data_dir / "session.key"

    @property
    def vault_key_path(self) -> Path:
        """The key that stored secret values are sealed with, readable by its owner only."""
        return self.data_dir / "vault.key"

    @property
    def objects_path(self) -> Path:
        """The sealed contents of S3 objects."""
        return self.data_dir / "objects"

    @property
    def endpoint_path(self) -> Path:
        """Where the running control plane says how to reach it."""
        return self.data_dir / "endpoint.json"

    @property
    def agent_log_path(self) -> Path:
        """The log of the local agent."""
        return self.data_dir / "agent.log"
