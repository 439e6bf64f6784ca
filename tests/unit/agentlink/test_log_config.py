"""A container's logConfiguration as the Engine is told it."""

from __future__ import annotations

from typing import Any

from homeport.agentlink.log_config import log_config

ARN = "arn:aws:ecs:us-east-1:123456789012:task/default/0123abcd"


def awslogs(accounts: str, /, **options: str) -> dict[str, str]:
    given = {key.replace("_", "-"): value for key, value in options.items()}
    logging = {"logDriver": "awslogs", "options": {"awslogs-group": "g", **given}}
    found = log_config(logging, "web", ARN, accounts)
    assert found is not None
    assert found["Type"] == "awslogs"
    assert logging["options"] == {"awslogs-group": "g", **given}, "the definition is as it was"
    config: dict[str, Any] = found["Config"]
    assert config.pop("awslogs-group") == "g"
    return config


def test_a_prefix_becomes_the_streams_whole_name() -> None:
    assert awslogs("blocking", awslogs_stream_prefix="app") == {
        "awslogs-stream": "app/web/0123abcd",
        "mode": "blocking",
    }
    assert awslogs("blocking") == {"mode": "blocking"}


def test_the_accounts_mode_is_used_where_the_definition_names_none() -> None:
    assert awslogs("non-blocking") == {"mode": "non-blocking", "max-buffer-size": "10m"}
    assert awslogs("blocking", mode="non-blocking")["max-buffer-size"] == "10m"
    assert awslogs("non-blocking", max_buffer_size="2m")["max-buffer-size"] == "2m"
    assert awslogs("non-blocking", mode="blocking") == {"mode": "blocking"}


def test_other_drivers_are_as_they_are() -> None:
    logging = {"logDriver": "syslog", "options": {"tag": "x"}}
    assert log_config(logging, "web", ARN, "blocking") == {"Type": "syslog", "Config": {"tag": "x"}}
    assert log_config({"logDriver": "none"}, "w", ARN, "blocking") == {"Type": "none", "Config": {}}
    assert log_config(None, "web", ARN, "blocking") is None
