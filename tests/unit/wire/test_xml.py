"""XML from anybody is read safely, and what is written can be read."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from homeport.wire.protocols.xml_decoder import parse_xml
from homeport.wire.protocols.xml_encoder import element
from homeport.wire.shapes import Invalid

BOMB = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><x>&b;</x>"""
OUTSIDE = b"""<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>"""


@pytest.mark.parametrize(
    "body", [b"", b"<", b"<a><b></a></b>", b"<a/><b/>", BOMB, OUTSIDE, b"<a>" * 1000, b"\x00"]
)
def test_what_is_not_plain_xml_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        parse_xml(body)


def test_elements_attributes_and_text_are_read() -> None:
    root = parse_xml(b'<n:a xmlns:n="x" k="v"><b> 1 &amp; 2 </b><b/></n:a>')
    assert (root.name, root.attributes["k"]) == ("a", "v")
    assert [child.text for child in root.named("b")] == [" 1 & 2 ", ""]


@pytest.mark.parametrize("text", ["a & b < c", "line\r\nline", "tab\t", "\x00\x0b\x1f", "é😹"])
def test_what_is_written_is_xml(text: str) -> None:
    read = ElementTree.fromstring(element("a", text)).text
    assert read == text.translate({c: "\ufffd" for c in range(32) if chr(c) not in "\t\n\r"})
