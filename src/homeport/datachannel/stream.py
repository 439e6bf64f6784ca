"""Order, acknowledgement and retransmission of stream messages, as either end keeps them.

Every stream message has the next number and is kept until it is acknowledged; the oldest is sent
again when the time of a round trip has passed without. ``Outgoing`` has room for a window of
messages: who has to send more waits, and so what is slow at one end is slow at the other.
The receiver takes messages in order, keeps those that came early and acknowledges again what it
has had before. The times follow from round trips seen (RFC 6298, as in both official programs).
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass

from .contents import Acknowledge, load, message
from .messages import SYN, Message, MessageType, encode

WINDOW = 64
FIRST_TIMEOUT = 0.2
MAX_TIMEOUT = 1.0
GRANULARITY = 0.01
EARLY = 10_000  # messages kept that came before their turn


@dataclass(slots=True)
class _Sent:
    frame: bytes
    at: float
    again: int = 0


class Outgoing:
    """What this end has sent. Times are monotonic seconds, given by the caller."""

    def __init__(self, kind: MessageType, window: int = WINDOW) -> None:
        self._kind = kind
        self._window = window
        self._next = 0
        self._sent: OrderedDict[int, _Sent] = OrderedDict()
        self._round_trip = 0.1
        self._variation = 0.0
        self.timeout = FIRST_TIMEOUT

    @property
    def unacknowledged(self) -> int:
        """How many messages the other end has not acknowledged."""
        return len(self._sent)

    @property
    def has_room(self) -> bool:
        """Whether one more may be sent."""
        return len(self._sent) < self._window

    def send(
        self, payload_type: int, payload: bytes, *, id: uuid.UUID, wall: float, now: float
    ) -> bytes:
        """The frame of the next message, remembered. ``wall``: epoch seconds."""
        frame = encode(
            Message(
                type=self._kind,
                payload=payload,
                id=id,
                created_at=int(wall * 1000),
                sequence=self._next,
                flags=SYN if self._next == 0 else 0,
                payload_type=payload_type,
            )
        )
        self._sent[self._next] = _Sent(frame, now)
        self._next += 1
        return frame

    def acknowledged(self, acknowledgement: Message, now: float) -> None:
        """Forget what has arrived; raises MalformedMessage."""
        content = load(acknowledgement.payload, Acknowledge)
        sent = self._sent.pop(content.acknowledged_message_sequence_number, None)
        if sent is not None and not sent.again:  # of one sent twice nobody knows which arrived
            self._learn(now - sent.at)

    def due(self, now: float) -> bytes | None:
        """The oldest frame if it is time to send it again; it counts as sent."""
        for sent in self._sent.values():
            if now - sent.at < self.timeout:
                return None
            sent.at, sent.again = now, sent.again + 1
            return sent.frame
        return None

    def _learn(self, seconds: float) -> None:
        self._variation += (abs(self._round_trip - seconds) - self._variation) / 4
        self._round_trip += (seconds - self._round_trip) / 8
        wanted = self._round_trip + max(GRANULARITY, 4 * self._variation)
        self.timeout = min(MAX_TIMEOUT, wanted)


class Incoming:
    """What the other end has sent."""

    def __init__(self) -> None:
        self.expected = 0
        self._early: dict[int, Message] = {}

    def take(self, arrived: Message) -> list[Message] | None:
        """The messages whose turn it is now; None: no room for it, so don't acknowledge it."""
        if arrived.sequence > self.expected:
            if len(self._early) >= EARLY:
                return None
            self._early[arrived.sequence] = arrived
            return []
        if arrived.sequence < self.expected:
            return []
        turn = [arrived]
        self.expected += 1
        while (following := self._early.pop(self.expected, None)) is not None:
            turn.append(following)
            self.expected += 1
        return turn


def acknowledgement(arrived: Message, id: uuid.UUID, wall: float) -> bytes:
    """The frame that says so."""
    content = Acknowledge(
        acknowledged_message_type=arrived.type,
        acknowledged_message_id=str(arrived.id),
        acknowledged_message_sequence_number=arrived.sequence,
    )
    return encode(message("acknowledge", content, id, wall))
