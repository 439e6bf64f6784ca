"""Large requests are decoded by another way than small ones: to the same documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homeport.wire import model
from homeport.wire.errors import ApiError
from homeport.wire.http import Request
from homeport.wire.protocols.json import JsonCodec, JsonProtocol
from homeport.wire.protocols.typed import LARGE_BYTES, typed_decoder

EVENTS = [{"timestamp": 1_790_000_000_000 + n, "message": f"lïne {n} \n"} for n in range(2_000)]
BATCH: dict[str, Any] = {"logGroupName": "g", "logStreamName": "s", "logEvents": EVENTS}


def decoded(document: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(document).encode()
    assert len(body) > LARGE_BYTES
    protocol = JsonProtocol(model.load("logs"))
    return protocol.decode("PutLogEvents", Request("POST", "/", "", {}, body))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"sequenceToken": "7", "entity": {"keyAttributes": {"Type": "Service", "Name": "web"}}},
        {"sequenceToken": None},
        {"unknown": [1, 2], "logEvents": [{**event, "more": 1} for event in EVENTS]},
        {"logEvents": [{**event, "timestamp": float(event["timestamp"])} for event in EVENTS]},
    ],
)
def test_large_documents_decode_as_small_ones(more: dict[str, Any]) -> None:
    document = {**BATCH, **more}
    shape = model.load("logs").operation("PutLogEvents").input_shape
    assert shape is not None
    assert decoded(document) == JsonCodec().decoder(shape)(document)


def test_this_is_the_typed_way() -> None:
    shape = model.load("logs").operation("PutLogEvents").input_shape
    assert shape is not None
    typed = typed_decoder(shape)
    assert typed is not None
    assert typed(json.dumps(BATCH).encode()) == BATCH


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"logEvents": EVENTS * 6}, "logEvents"),
        ({"logEvents": [*EVENTS, {"timestamp": 1, "message": ""}]}, "logEvents.2000.message"),
        ({"logEvents": [*EVENTS, {"timestamp": -1, "message": "x"}]}, "logEvents.2000.timestamp"),
        ({"logEvents": [*EVENTS, {"timestamp": 1 << 70, "message": "x"}]}, "logEvents.2000"),
        ({"logEvents": [*EVENTS, {"message": "x"}]}, "logEvents.2000.timestamp"),
        ({"logEvents": [*EVENTS, None]}, "logEvents"),
        ({"logStreamName": 1}, "logStreamName"),
        ({"logGroupName": None}, "logGroupName"),
    ],
)
def test_what_is_wrong_with_a_large_document_is_said_as_of_a_small_one(
    wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(ApiError, match=field):
        decoded({**BATCH, **wrong})
