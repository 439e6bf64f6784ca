"""The binary frame: what goes in comes out, and nothing else is taken."""

from __future__ import annotations

import contextlib
import hashlib
import json
import struct
import uuid
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.datachannel import contents, messages
from homeport.datachannel.messages import MalformedMessage, Message, MessageType, decode, encode

some_message = st.builds(
    Message,
    type=st.sampled_from(get_args(MessageType)),
    payload=st.binary(max_size=2000),
    id=st.uuids(),
    created_at=st.integers(0, 2**64 - 1),
    sequence=st.integers(-(2**63), 2**63 - 1),
    flags=st.integers(0, 2**64 - 1),
    payload_type=st.integers(0, 2**32 - 1),
    version=st.integers(0, 2**32 - 1),
)


@given(some_message)
def test_a_message_survives_the_wire(message: Message) -> None:
    assert decode(encode(message)) == message


@given(some_message, st.data())
def test_a_frame_that_lost_or_changed_bytes_is_refused_or_differs(
    message: Message, data: st.DataObject
) -> None:
    frame = encode(message)
    cut = data.draw(st.integers(0, len(frame) - 1))
    with pytest.raises(MalformedMessage):
        decode(frame[:cut])
    at = data.draw(st.integers(0, len(frame) - 1))
    changed = frame[:at] + bytes([frame[at] ^ 0xFF]) + frame[at + 1 :]
    with contextlib.suppress(MalformedMessage):
        assert decode(changed) != message or not message.payload


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_be_refused(noise: bytes) -> None:
    with contextlib.suppress(MalformedMessage):
        decode(noise)


def test_the_frame_is_laid_out_as_the_official_programs_read_it() -> None:
    message = Message(
        type="input_stream_data",
        payload=b"ls\r",
        id=uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"),
        created_at=1_700_000_000_123,
        sequence=7,
        flags=1,
        payload_type=messages.PayloadType.OUTPUT,
    )
    frame = encode(message)
    assert struct.unpack_from(">I", frame)[0] == 116
    assert frame[4:36] == b"input_stream_data".ljust(32, b" ")
    assert struct.unpack_from(">IQqQ", frame, 36) == (1, 1_700_000_000_123, 7, 1)
    assert frame[64:80].hex() == "8899aabbccddeeff0011223344556677"
    assert frame[80:112] == hashlib.sha256(b"ls\r").digest()
    assert struct.unpack_from(">II", frame, 112) == (1, 3)
    assert frame[120:] == b"ls\r"


def test_a_payload_above_the_limit_is_refused() -> None:
    frame = encode(
        Message(
            type="output_stream_data",
            payload=bytes(messages.MAX_PAYLOAD + 1),
            id=uuid.uuid4(),
            created_at=1,
        )
    )
    with pytest.raises(MalformedMessage, match="at most 65536 bytes"):
        decode(frame)


def test_a_session_is_started_by_json_in_json() -> None:
    inputs = contents.SessionInputs("group", "bucket", "prefix")
    started = contents.start_session("s1", "sh -c 'ls'", inputs, uuid.uuid4(), 1.0)
    assert started.type == "interactive_shell"
    document = json.loads(json.loads(started.payload)["Content"])["DocumentContent"]
    assert document["inputs"] == {
        "cloudWatchLogGroupName": "group",
        "s3BucketName": "bucket",
        "s3KeyPrefix": "prefix",
    }
    assert contents.read_start_session(started) == contents.Started("s1", "sh -c 'ls'", inputs)


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"Content": "{", "TaskId": "t"}', b"[]"])
def test_a_start_without_session_or_command_is_malformed(payload: bytes) -> None:
    message = Message(type="interactive_shell", payload=payload, id=uuid.uuid4(), created_at=1)
    with pytest.raises(MalformedMessage):
        contents.read_start_session(message)


def test_the_official_clients_answer_to_the_handshake_is_understood() -> None:
    answer = (
        b'{"ClientVersion":"1.2.707.0","ProcessedClientActions":[{"ActionType":"SessionType",'
        b'"ActionStatus":1,"ActionResult":null,"Error":""}],"Errors":null}'
    )
    response = contents.load(answer, contents.HandshakeResponse)
    assert response.processed_client_actions[0].action_status == contents.SUCCESS
    assert response.processed_client_actions[0].action_result is None


def test_exit_codes() -> None:
    assert contents.exit_code(b"EXIT_CODE: 137") == 137
    with pytest.raises(MalformedMessage):
        contents.exit_code(b"EXIT_CODE: ")
