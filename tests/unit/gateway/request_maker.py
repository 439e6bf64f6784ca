"""Requests made from botocore's models: valid in form, random in content."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import urlencode

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.serialize import create_serializer

from homeport.services.call import Platform
from homeport.wire.model import Service

DEEPEST = 4
WORDS = ["", "web", "default", "web:1", "tcp", "HTTP", "bridge", "x" * 300, "a b", "é", "0", "-1"]


class Maker:
    """Makes serialized requests of one service."""

    def __init__(self, service: Service, chance: random.Random, platform: Platform) -> None:
        self._service = service
        self._chance = chance
        self._serializer = create_serializer(service.protocol, include_validation=False)
        self._arns = [
            f"arn:aws:ecs:{platform.region}:{platform.account_id}:cluster/default",
            f"arn:aws:ecs:{platform.region}:{platform.account_id}:task/default/{'a' * 32}",
            f"arn:aws:elasticloadbalancing:{platform.region}:{platform.account_id}:"
            "loadbalancer/app/web/0123456789abcdef",
            "arn:aws:iam::123456789012:role/x",
        ]

    def request(self, operation: str) -> tuple[dict[str, str], bytes]:
        """Headers and body."""
        described = self._service.operation(operation)
        shape = described.input_shape
        document = self._value(shape, 0) if shape is not None else {}
        serialized = self._serializer.serialize_to_request(document, described)
        body = serialized["body"]
        if isinstance(body, dict):
            body = urlencode(body).encode()
        return dict(serialized["headers"]), body if isinstance(body, bytes) else body.encode()

    def _value(self, shape: Shape, depth: int) -> Any:
        chance = self._chance
        if isinstance(shape, StructureShape):
            keep = 0.5 if depth < DEEPEST else 0.0
            return {
                name: self._value(member, depth + 1)
                for name, member in shape.members.items()
                if chance.random() < keep
                or (name in shape.required_members and depth < 2 * DEEPEST)
            }
        if isinstance(shape, ListShape):
            count = chance.choice([0, 1, 1, 2]) if depth < DEEPEST else 0
            return [self._value(shape.member, depth + 1) for _ in range(count)]
        if isinstance(shape, MapShape):
            return {chance.choice(WORDS) or "k": self._value(shape.value, depth + 1)}
        return self._scalar(shape)

    def _scalar(self, shape: Shape) -> Any:
        chance = self._chance
        match shape.type_name:
            case "string" | "character":
                enum = shape.metadata.get("enum")
                if enum and chance.random() < 0.8:
                    return chance.choice(enum)
                return chance.choice([*WORDS, *self._arns])
            case "boolean":
                return chance.random() < 0.5
            case "integer" | "long":
                return chance.choice([0, 1, 2, 5, 10, 80, 100, 512, -1, 70000, 2**31 - 1])
            case "float" | "double":
                return chance.choice([0.0, 1.5, -1.0, 1e300])
            case "timestamp":
                return chance.choice([0, 1_700_000_000])
            case _:
                return b"blob"
