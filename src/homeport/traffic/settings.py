"""What the traffic part is told at start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TrafficSettings:
    """Where load balancers live.

    ``data_dir``: the control plane's data directory; Envoy's files go to ``traffic/`` below it.
    ``bind_address``: the address every listener opens its port on. ``hosts_path``: the hosts
    file that gets the load balancers' names where the process may write it (root); None never.
    """

    data_dir: Path
    bind_address: str = "127.0.0.1"
    hosts_path: Path | None = Path("/etc/hosts")

    @property
    def directory(self) -> Path:
        """Envoy's working directory (mode 0700): bootstrap, sockets."""
        return self.data_dir / "traffic"

    @property
    def envoy_log_path(self) -> Path:
        """Envoy's log, kept bounded."""
        return self.data_dir / "envoy.log"

    @property
    def client_address(self) -> str:
        """Where a client on this machine reaches the listeners."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind_address, self.bind_address)
