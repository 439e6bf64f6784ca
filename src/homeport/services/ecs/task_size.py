"""Task-level ``cpu`` and ``memory``: how they are written, and which pairs Fargate has."""

from __future__ import annotations

import re

from .errors import ClientException

_SIZE = re.compile(r"(?P<number>[0-9]*\.?[0-9]+)\s*(?P<unit>vcpu|gb)?", re.IGNORECASE)


def parse_size(text: str | None, field: str) -> int | None:
    """``"256"``, ``".5 vCPU"``, ``"2 GB"`` → cpu units or MiB."""
    if text is None or text == "":
        return None
    match = _SIZE.fullmatch(text.strip())
    unit = (match["unit"] or "").lower() if match else ""
    if match is None or unit not in ("", "vcpu" if field == "cpu" else "gb"):
        raise ClientException(f"Invalid '{field}' setting for task: '{text[:64]}'.")
    number = float(match["number"])
    value = number * 1024 if unit else number
    if value != int(value) or not 0 < value <= 10_000_000:
        raise ClientException(f"Invalid '{field}' setting for task: '{text[:64]}'.")
    return int(value)


def _fargate_sizes() -> dict[int, frozenset[int]]:
    steps = {
        256: [512, 1024, 2048],
        512: range(1024, 4097, 1024),
        1024: range(2048, 8193, 1024),
        2048: range(4096, 16385, 1024),
        4096: range(8192, 30721, 1024),
        8192: range(16384, 61441, 4096),
        16384: range(32768, 122881, 8192),
        32768: [61440, 122880, 249856],
    }
    return {cpu: frozenset(memory) for cpu, memory in steps.items()}


# "Task CPU and memory" of "Amazon ECS task definition differences for Fargate", developer guide.
FARGATE_SIZES = _fargate_sizes()


def check_fargate_size(cpu: int | None, memory: int | None) -> None:
    """Raise unless Fargate has tasks of these units and MiB."""
    if memory not in FARGATE_SIZES.get(cpu or 0, ()):
        raise ClientException(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See "
            "the Amazon ECS documentation for the valid values."
        )
