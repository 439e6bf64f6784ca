"""A container's logConfiguration → Docker's ``LogConfig``. Pure.

What awslogs needs to know of its host (where the API is, whose credentials) the agent adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeport.domain.arn import last_segment

DEFAULT_MODE = "non-blocking"
DEFAULT_BUFFER_SIZE = "10m"
"""Of awslogs on ECS; the Engine's own are ``blocking`` and ``1m``."""


def log_config(
    logging: Mapping[str, Any] | None, container: str, task_arn: str, default_mode: str
) -> dict[str, Any] | None:
    """None without a logConfiguration: the Engine's own default.

    ``default_mode``: of awslogs containers that name none (setting ``defaultLogDriverMode``).
    """
    if not logging:
        return None
    options = dict(logging.get("options") or {})
    if logging["logDriver"] == "awslogs":
        options = _awslogs(options, f"{container}/{last_segment(task_arn)}", default_mode)
    return {"Type": logging["logDriver"], "Config": options}


def _awslogs(options: dict[str, str], stream: str, default_mode: str) -> dict[str, str]:
    """The stream's whole name, and how a slow control plane is borne.

    Without a prefix the Engine names the stream after the container's id.
    """
    prefix = options.pop("awslogs-stream-prefix", None)
    if prefix is not None:
        options["awslogs-stream"] = f"{prefix}/{stream}"
    options.setdefault("mode", default_mode)
    if options["mode"] == "non-blocking":
        options.setdefault("max-buffer-size", DEFAULT_BUFFER_SIZE)
    return options
