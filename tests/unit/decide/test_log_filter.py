"""Filter patterns of CloudWatch Logs. The first cases are those of the AWS user guide's page."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.decide.log_filter import PatternError, compile_pattern

REQUESTS = (
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[INFO] SUCCESSFUL REQUEST",
    "[WARN] REQUEST TOOK LONG",
)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("ERROR", [0, 1, 2]),
        ("error", []),
        ("ERROR ARGUMENTS", [2]),
        ("?ERROR ?WARN", [0, 1, 2, 4]),
        ("?ERROR ?WARN REQUEST", [0, 1, 3, 4]),  # beside other terms ? counts for nothing
        ("ERROR -BAD", [1, 2]),
        ("-ERROR", [3, 4]),
        ('"BAD REQUEST"', [0]),
        ('REQUEST -"[INFO]"', [0, 1, 4]),
        ("%AUTHORIZED%", [1]),
        ("%4[0-9]{2}% REQUEST", [0, 1]),
    ],
)
def test_terms(pattern: str, found: list[int]) -> None:
    assert matching(pattern, REQUESTS) == found


EVENT = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "ThisFlag": True,
    "bytes": 1500,
    "small": -1.5e-3,
    "text": "17",
    "a.b": "dotted",
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ('{ $.eventType = "Update*" }', True),
        ('{ $.eventType != "UpdateTrail" }', False),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ("{ $.sourceIPAddress = 111.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[*] = "another value" }', True),
        ('{ $.arrayKey[7] = "value" }', False),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[*].id > 2 }", False),
        ("{ $.eventType = %Trail$% }", True),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.bytes IS NULL }", False),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.ThisFlag IS TRUE }", True),
        ("{ $.ThisFlag IS FALSE }", False),
        ("{ $.bytes > 1000 && $.bytes <= 1.5e3 }", True),
        ("{ $.bytes < 1000 || $.ThisFlag IS TRUE }", True),
        ("{ $.bytes < 1000 || $.ThisFlag IS TRUE && $.small > 0 }", False),
        ('{ ($.bytes < 1000 || $.text = 17) && $.eventType = "*Trail" }', True),
        ("{ $.small = -0.0015 }", True),
        ("{ $.missing = 1 }", False),
        ("{ $.missing != 1 }", False),
        ('{ $.["a.b"] = "dotted" }', True),
    ],
)
def test_json_selectors(pattern: str, expected: bool) -> None:
    matches = compile_pattern(pattern)
    assert matches(json.dumps(EVENT)) is expected
    assert not matches("no JSON at all")
    assert not matches('{"cut off": ')


LINES = (
    '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 200 1534',
    '127.0.0.1 Dev emma [10/Oct/2000:13:35:22 -0700] "GET /index.html HTTP/1.0" 404 500',
    '127.0.0.2 Prod frank [10/Oct/2000:13:50:35 -0700] "GET /index.html HTTP/1.0" 500 5324',
)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[ip, server, username, timestamp, request, status_code, bytes]", [0, 1, 2]),
        ("[ip, server]", []),
        ("[ip, server, username, timestamp, request, status_code = 4*, bytes]", [1]),
        ("[..., status_code = 4*, bytes]", [1]),
        ("[ip = 127.0.0.1, ..., bytes > 1000]", [0]),
        ("[ip, server = Prod, ..., status != 200, bytes]", [2]),
        ("[..., request = *html*, status = 404 || status = 500, bytes]", [1, 2]),
        ("[..., status >= 300 && status < 500, bytes]", [1]),
        ("[w1 = %\\.2$%, ...]", [2]),
    ],
)
def test_columns(pattern: str, found: list[int]) -> None:
    assert matching(pattern, LINES) == found


@pytest.mark.parametrize(
    "pattern",
    [
        *("{ $.a }", "{ $.a = }", '{ $.a = "b', "{ a = 1 }", "{ $.a < b }", "{ $.a = 1 "),
        *("{}", "[a, b", "[a = ]", "[..., a, ...]", "[a < b]", '"open', '"a"b', "%(%", "%[%"),
        "{" + "(" * 400 + "$.a = 1" + ")" * 400 + "}",
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_a_pattern_or_refused_and_matching_never_fails(
    pattern: str, message: str
) -> None:
    for text in (pattern, "{" + pattern + "}", "[" + pattern + "]", "{ $.a = " + pattern + " }"):
        try:
            matches = compile_pattern(text)
        except PatternError:
            continue
        for said in (message, json.dumps({"a": message}), "{" + message):
            assert matches(said) in (True, False)


def matching(pattern: str, messages: tuple[str, ...]) -> list[int]:
    matches = compile_pattern(pattern)
    return [number for number, message in enumerate(messages) if matches(message)]
