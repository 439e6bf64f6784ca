"""The protocol vectors of botocore's source distribution, read where scripts/vectors put them."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore
from botocore.model import ListShape, MapShape, Shape, StructureShape

from homeport.wire.model import Service, from_description

ROOT = Path(__file__).resolve().parents[3]
FILES = ("ec2", "json", "json_1_0", "query", "rest-json", "rest-xml")


@dataclass(frozen=True)
class Vector:
    """One case. ``id`` is unique within a file and direction."""

    file: str
    id: str
    description: dict[str, Any]
    case: dict[str, Any]

    @property
    def operation(self) -> str:
        return str(self.case["given"]["name"])

    def service(self) -> Service:
        """The case's own model, with its one operation."""
        description = copy.deepcopy(self.description)
        description["operations"] = {self.operation: self.case["given"]}
        description["metadata"].setdefault("endpointPrefix", "vectors")
        return from_description("vectors", description)

    def __str__(self) -> str:
        return f"{self.file}:{self.id}"


def directory() -> Path:
    found = ROOT / ".cache" / f"botocore-{botocore.__version__}" / "tests" / "unit" / "protocols"
    assert found.is_dir(), f"{found} is missing: run scripts/vectors"
    return found


@cache
def vectors(direction: str) -> list[Vector]:
    """Every case of the five protocols; ``direction`` is input or output."""
    return list(_read(direction))


def _read(direction: str) -> Iterator[Vector]:
    for file in FILES:
        suites = json.loads((directory() / direction / f"{file}.json").read_text())
        for suite in suites:
            for number, case in enumerate(suite["cases"]):
                name = case.get("id") or f"{suite['description']}-{number}"
                yield Vector(file, name, {k: v for k, v in suite.items() if k != "cases"}, case)


def to_values(shape: Shape | None, value: Any) -> Any:
    """What the vectors write as JSON, as the values that handlers have: bytes, floats."""
    if isinstance(shape, StructureShape):
        if getattr(shape, "is_document_type", False):
            return value
        members = value.items()
        return {k: to_values(shape.members.get(k), v) for k, v in members if v is not None}
    if isinstance(shape, ListShape):
        return [to_values(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {k: to_values(shape.value, v) for k, v in value.items()}
    if shape is not None and shape.type_name == "blob" and isinstance(value, str):
        return value.encode()
    special = value in ("NaN", "Infinity", "-Infinity")
    if shape is not None and shape.type_name in ("float", "double") and special:
        return float(value)
    return value


def comparable(value: Any) -> Any:
    """Values that are equal when they mean the same: NaN, datetimes as epoch seconds."""
    if isinstance(value, dict):
        return {k: comparable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [comparable(v) for v in value]
    if hasattr(value, "timestamp"):
        return round(value.timestamp(), 3)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value
