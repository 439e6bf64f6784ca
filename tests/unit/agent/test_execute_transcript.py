"""The copy of a session's output: lines, limits, and services that refuse."""

from __future__ import annotations

from typing import Any

import pytest

from homeport.agent.execute.transcript import CUT, MAX_LINE, MAX_PENDING, NotWritten, Transcript
from homeport.datachannel.contents import SessionInputs


class Writer:
    """Keeps what is written; ``refuses`` names an operation that is not allowed."""

    def __init__(self, refuses: str = "") -> None:
        self.calls: list[str] = []
        self.lines: list[str] = []
        self.objects: dict[str, bytes] = {}
        self._refuses = refuses

    async def logs(self, operation: str, document: dict[str, Any], fine: str = "") -> None:
        self.calls.append(operation)
        if operation == self._refuses:
            raise NotWritten("AccessDeniedException")
        self.lines += [event["message"] for event in document.get("logEvents", ())]

    async def put(self, bucket: str, key: str, content: bytes) -> None:
        self.objects[f"{bucket}/{key}"] = content


async def written(*output: bytes, refuses: str = "", inputs: SessionInputs) -> Writer:
    writer = Writer(refuses)
    transcript = Transcript(writer, inputs, "s1")  # type: ignore[arg-type]
    for data in output:
        transcript.add(data)
    await transcript.close()
    return writer


GROUP = SessionInputs("/g")


async def test_lines_are_events_however_they_came() -> None:
    writer = await written(b"on", b"e\r\ntwo\n\nth", b"ree", inputs=GROUP)
    assert writer.lines == ["one", "two", " ", "three"]
    assert writer.calls == ["CreateLogStream", "PutLogEvents"]


async def test_bytes_that_are_no_text_do_no_harm() -> None:
    writer = await written(b"\xff\xfe\n", inputs=GROUP)
    assert writer.lines == ["\ufffd\ufffd"]


async def test_a_line_without_an_end_is_cut() -> None:
    writer = await written(b"x" * (MAX_LINE + 10), inputs=GROUP)
    assert sum(map(len, writer.lines)) == MAX_LINE + 10
    assert max(map(len, writer.lines)) == MAX_LINE


async def test_more_than_can_be_written_is_said_not_kept() -> None:
    line = b"x" * 1000 + b"\n"
    writer = await written(line * (MAX_PENDING // 1000 + 500), inputs=GROUP)
    assert writer.lines[-1] == CUT
    assert writer.lines.count(CUT) == 1


@pytest.mark.parametrize("refuses", ["CreateLogStream", "PutLogEvents"])
async def test_a_refusal_ends_the_copy_and_nothing_else(refuses: str) -> None:
    writer = await written(b"one\n", refuses=refuses, inputs=GROUP)
    assert writer.lines == []
    assert writer.calls[-1] == refuses


async def test_a_bucket_is_given_the_whole() -> None:
    writer = await written(b"one\ntwo", inputs=SessionInputs("", "b", "/some/prefix/"))
    assert writer.objects == {"b/some/prefix/s1.log": b"one\ntwo"}
    assert writer.calls == []


async def test_nothing_is_written_where_nothing_is_wanted() -> None:
    writer = await written(b"one\n", inputs=SessionInputs())
    assert (writer.calls, writer.objects) == ([], {})
