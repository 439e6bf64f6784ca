"""Order, acknowledgement and retransmission, over a wire that loses, repeats and reorders."""

from __future__ import annotations

import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.datachannel.messages import MalformedMessage, Message, decode
from homeport.datachannel.stream import FIRST_TIMEOUT, Incoming, Outgoing, acknowledgement


def frame(outgoing: Outgoing, payload: bytes, now: float = 0.0) -> bytes:
    return outgoing.send(1, payload, id=uuid.uuid4(), wall=1.0, now=now)


def answer(arrived: Message) -> Message:
    return decode(acknowledgement(arrived, uuid.uuid4(), 1.0))


@given(st.lists(st.binary(max_size=8), max_size=30), st.integers(0, 2**32))
def test_everything_arrives_once_and_in_order(payloads: list[bytes], seed: int) -> None:
    wire = random.Random(seed)
    outgoing, incoming = Outgoing("output_stream_data", window=5), Incoming()
    waiting, delivered = list(payloads), []
    in_flight: list[bytes] = []
    now = 0.0
    while waiting or outgoing.unacknowledged:
        now += 0.05
        if waiting and outgoing.has_room:
            in_flight.append(frame(outgoing, waiting.pop(0), now))
        if (again := outgoing.due(now)) is not None:
            in_flight.append(again)
        wire.shuffle(in_flight)
        arriving, in_flight = in_flight[:2], in_flight[2:]
        for arrived in (decode(f) for f in arriving if wire.random() > 0.3):
            turn = incoming.take(arrived)
            assert turn is not None
            delivered += [m.payload for m in turn]
            if wire.random() > 0.3:
                outgoing.acknowledged(answer(arrived), now)
        assert outgoing.unacknowledged <= 5
    assert delivered == payloads


def test_the_window_is_full_until_something_is_acknowledged() -> None:
    outgoing = Outgoing("input_stream_data", window=2)
    first = decode(frame(outgoing, b"1"))
    frame(outgoing, b"2")
    assert not outgoing.has_room
    outgoing.acknowledged(answer(first), 0.1)
    assert outgoing.has_room
    assert outgoing.unacknowledged == 1


def test_only_the_oldest_is_sent_again_and_only_when_its_time_has_passed() -> None:
    outgoing = Outgoing("output_stream_data")
    first = frame(outgoing, b"1", now=10.0)
    frame(outgoing, b"2", now=10.0)
    assert outgoing.due(10.0 + FIRST_TIMEOUT / 2) is None
    assert outgoing.due(10.1 + FIRST_TIMEOUT) == first
    assert outgoing.due(10.1 + FIRST_TIMEOUT) is None


def test_the_first_message_of_a_stream_is_marked() -> None:
    outgoing = Outgoing("output_stream_data")
    assert [decode(frame(outgoing, b"x")).flags for _ in range(3)] == [1, 0, 0]


def test_an_acknowledgement_that_is_none_is_refused() -> None:
    noise = Message(type="acknowledge", payload=b"{}", id=uuid.uuid4(), created_at=1)
    with pytest.raises(MalformedMessage):
        Outgoing("output_stream_data").acknowledged(noise, 0.0)
