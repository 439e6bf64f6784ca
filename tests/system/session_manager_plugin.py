"""A client of the data channel, written from the protocol alone: nothing of Homeport's is used.

As a program it takes the arguments that ``aws ecs execute-command`` gives session-manager-plugin,
sends its stdin as one keyboard would, prints what comes, and ends when the channel is closed.
Sources: src/message, src/datachannel and src/sessionmanagerplugin of aws/session-manager-plugin.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import threading
import time
import uuid
from typing import Any

from websockets.sync.client import ClientConnection, connect

HEADER = struct.Struct(">I32sIQqQ16s32sII")
OUTPUT, SIZE, HANDSHAKE_REQUEST, HANDSHAKE_RESPONSE, HANDSHAKE_COMPLETE = 1, 3, 5, 6, 7


class Plugin:
    """One session."""

    def __init__(self, session: dict[str, str]) -> None:
        self.websocket: ClientConnection = connect(session["streamUrl"])
        opening = {
            "MessageSchemaVersion": "1.0",
            "RequestId": str(uuid.uuid4()),
            "TokenValue": session["tokenValue"],
            "ClientId": str(uuid.uuid4()),
            "ClientVersion": "1.2.0.0",
        }
        self.websocket.send(json.dumps(opening))
        self.sequence = 0
        self.expected = 0
        self.sending = threading.Lock()
        self.ready = threading.Event()

    def run(self) -> None:
        """Print until the channel is closed."""
        while True:
            frame = self.websocket.recv()
            assert isinstance(frame, bytes), frame
            fields = HEADER.unpack_from(frame)
            kind, sequence = fields[1].strip(b" \0").decode(), fields[4]
            digest, payload_type, length = fields[7:]
            payload = frame[HEADER.size :]
            assert fields[0] == 116
            assert len(payload) == length
            assert digest == hashlib.sha256(payload).digest()
            if kind == "channel_closed":
                said = json.loads(payload)
                print(f"\n\nExiting session with sessionId: {said['SessionId']}.\n{said['Output']}")
                return
            if kind == "output_stream_data":
                self.on_output(sequence, payload_type, payload, kind, fields[6])

    def on_output(self, sequence: int, kind: int, payload: bytes, name: str, id: bytes) -> None:
        """Acknowledge, and take it if it is its turn (a later one comes again)."""
        if sequence > self.expected:
            return
        self.send("acknowledge", 0, json.dumps(self.acknowledgement(sequence, name, id)).encode())
        if sequence < self.expected:
            return
        self.expected += 1
        if kind == HANDSHAKE_REQUEST:
            self.answer_handshake(json.loads(payload))
        elif kind == HANDSHAKE_COMPLETE:
            self.ready.set()
        elif kind == OUTPUT:
            sys.stdout.buffer.write(payload)
            sys.stdout.flush()

    @staticmethod
    def acknowledgement(sequence: int, kind: str, id: bytes) -> dict[str, Any]:
        """The content of an acknowledge message."""
        return {
            "AcknowledgedMessageType": kind,
            "AcknowledgedMessageId": str(uuid.UUID(bytes=id[8:] + id[:8])),
            "AcknowledgedMessageSequenceNumber": sequence,
            "IsSequentialMessage": True,
        }

    def answer_handshake(self, request: dict[str, Any]) -> None:
        """Every action that is known succeeds."""
        (action,) = request["RequestedClientActions"]
        assert action["ActionType"] == "SessionType", action
        assert action["ActionParameters"]["SessionType"] == "InteractiveCommands", action
        processed = {"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": None}
        response = {
            "ClientVersion": "1.2.0.0",
            "ProcessedClientActions": [{**processed, "Error": ""}],
            "Errors": None,
        }
        self.stream(HANDSHAKE_RESPONSE, json.dumps(response).encode())

    def stream(self, payload_type: int, payload: bytes) -> None:
        """One message of the input stream."""
        self.send("input_stream_data", payload_type, payload, self.sequence)
        self.sequence += 1

    def send(self, kind: str, payload_type: int, payload: bytes, sequence: int = 0) -> None:
        """One frame."""
        now = int(time.time() * 1000)
        digest = hashlib.sha256(payload).digest()
        name, id = kind.encode().ljust(32), uuid.uuid4().bytes
        flags = 3 if kind == "acknowledge" else 0
        header = (116, name, 1, now, sequence, flags, id, digest, payload_type, len(payload))
        with self.sending:
            self.websocket.send(HEADER.pack(*header) + payload)


def main() -> None:
    """The command line of session-manager-plugin."""
    if len(sys.argv) == 1:
        print("\nThe Session Manager plugin was installed successfully.\n")
        return
    session, _region, operation, _profile, parameters, _endpoint = sys.argv[1:7]
    assert operation == "StartSession"
    assert json.loads(parameters)["Target"].startswith("ecs:")
    plugin = Plugin(json.loads(session))

    def type_in() -> None:
        plugin.ready.wait(60)
        plugin.stream(SIZE, json.dumps({"cols": 132, "rows": 43}).encode())
        for line in sys.stdin.buffer:
            plugin.stream(OUTPUT, line)

    threading.Thread(target=type_in, daemon=True).start()
    plugin.run()


if __name__ == "__main__":
    main()
