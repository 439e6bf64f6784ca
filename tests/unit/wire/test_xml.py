"""XML from anybody is read safely, and what is written can be read."""

from __future__ import annotations

import time
from xml.etree import ElementTree

import pytest

from homeport.wire.protocols.xml_decoder import parse_xml
from homeport.wire.protocols.xml_encoder import element
from homeport.wire.shapes import Invalid

ODD_ENCODINGS = ["nothing", "rot13", "base64", "idna", "undefined", "utf-7", "shift_jis"]
BOMB = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><x>&b;</x>"""
OUTSIDE = b"""<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>"""


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<", b"<a><b></a></b>", b"<a/><b/>", BOMB, OUTSIDE, b"<a>" * 1000, b"\x00"),
        b"<a>\xff</a>",
        *(f'<?xml version="1.0" encoding="{name}"?><a/>'.encode() for name in ODD_ENCODINGS),
    ],
)
def test_what_is_not_plain_xml_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        parse_xml(body)


def test_elements_attributes_and_text_are_read() -> None:
    root = parse_xml(b'<n:a xmlns:n="x" k="v"><b> 1 &amp; 2 </b><b/></n:a>')
    assert (root.name, root.attributes["k"]) == ("a", "v")
    assert [child.text for child in root.named("b")] == [" 1 & 2 ", ""]


def test_a_text_full_of_entities_takes_no_more_than_its_length() -> None:
    def seconds(count: int) -> float:
        body = b"<a>" + b"&amp;" * count + b"</a>"
        started = time.process_time()
        assert len(parse_xml(body).text) == count
        return time.process_time() - started

    seconds(1000)
    assert seconds(800_000) < 1.0, "8 MB at a time would stop everybody else"


@pytest.mark.parametrize(
    "text", ["a & b < c", "line\r\nline", "tab\t", "\x00\x0b\x1f", "é😹", "\ufffe\uffff"]
)
def test_what_is_written_is_xml(text: str) -> None:
    read = ElementTree.fromstring(element("a", text)).text
    unwritable = [c for c in range(32) if chr(c) not in "\t\n\r"] + [0xFFFE, 0xFFFF]
    assert read == text.translate(dict.fromkeys(unwritable, "\ufffd"))
