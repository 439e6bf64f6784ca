"""What a user of boto3 sees of log events: putting, reading, searching, expiring."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api, refusal

from homeport.controllers.log_events import LogEventsController
from homeport.controllers.runner import Runner

NOW = 1_790_000_000.0
MS = int(NOW * 1000)
DAY = 24 * 3600 * 1000
GROUP, STREAM = "/ecs/web", "app/main/1"


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr("homeport.gateway.app.SigV4Authenticator", _AnyTime)
    api = Api(clock)
    yield api
    api.close()


class _AnyTime:
    """Signatures are of the real time, which is not the test's."""

    def __init__(self, *_: object) -> None:
        from api_client import PLATFORM

        from homeport.gateway.authenticate import NoAuthentication

        self.authenticate = NoAuthentication(PLATFORM).authenticate


@pytest.fixture
def logs(api: Api) -> Any:
    logs = api.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    return logs


def event(at: int, message: str = "") -> dict[str, Any]:
    return {"timestamp": at, "message": message or f"at {at}"}


def put(logs: Any, events: list[dict[str, Any]], stream: str = STREAM) -> dict[str, Any]:
    answer: dict[str, Any] = logs.put_log_events(
        logGroupName=GROUP, logStreamName=stream, logEvents=events
    )
    return answer


def get(logs: Any, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM, **more)
    return answer


def messages(answer: dict[str, Any]) -> list[str]:
    return [e["message"] for e in answer["events"]]


def numbered(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [event(MS + n, str(n)) for n in range(first, first + count)]


# ── Putting ────────────────────────────────────────────────────────────────────────────────────


def test_what_is_put_is_got_with_its_times(logs: Any) -> None:
    answer = put(logs, [event(MS - 5, "hello"), event(MS, "wörld\n")])
    assert "rejectedLogEventsInfo" not in answer
    assert get(logs)["events"] == [
        {"timestamp": MS - 5, "message": "hello", "ingestionTime": MS},
        {"timestamp": MS, "message": "wörld\n", "ingestionTime": MS},
    ]


def test_events_of_one_batch_are_in_order(logs: Any) -> None:
    assert refused_put(logs, [event(MS), event(MS - 1)]) == (
        "Log events in a single PutLogEvents request must be in chronological order."
    )


def test_a_batch_spans_at_most_a_day(logs: Any) -> None:
    assert refused_put(logs, [event(MS - DAY - 1), event(MS)]) == (
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
    )
    put(logs, [event(MS - DAY), event(MS)])


def test_a_batch_is_at_most_a_mebibyte_with_26_bytes_for_each_event(logs: Any) -> None:
    half = 524_288 - 26
    assert refused_put(logs, [event(MS, "x" * half), event(MS, "y" * (half + 1))]) == (
        "Upload too large: 1048577 bytes exceeds limit of 1048576"
    )
    assert refused_put(logs, [event(MS, "é" * 524_288)]).startswith("Upload too large: 1048602")
    put(logs, [event(MS, "x" * half), event(MS, "y" * half)])


def refused_put(logs: Any, events: list[dict[str, Any]]) -> str:
    arguments = {"logGroupName": GROUP, "logStreamName": STREAM, "logEvents": events}
    code, message = refusal(logs.put_log_events, **arguments)
    assert code == "InvalidParameterException"
    assert get(logs)["events"] == []
    return message


@pytest.mark.parametrize("count", [0, 10_001])
def test_a_batch_has_one_to_ten_thousand_events(api: Api, logs: Any, count: int) -> None:
    unchecked = api.client("logs", validates=False)
    assert "'logEvents'" in refused_put(unchecked, [event(MS, "x")] * count)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"timestamp": MS, "message": ""}, "logEvents.0.message"),
        ({"timestamp": -1, "message": "x"}, "logEvents.0.timestamp"),
        ({"timestamp": MS}, "logEvents.0.message"),
    ],
)
def test_an_event_has_a_message_and_a_time(
    api: Api, logs: Any, wrong: dict[str, Any], field: str
) -> None:
    assert field in refused_put(api.client("logs", validates=False), [wrong])


def test_what_is_too_old_or_too_new_is_rejected_and_the_rest_kept(logs: Any) -> None:
    hours = 3600 * 1000
    old = put(logs, [event(MS - 15 * DAY), event(MS - 14 * DAY - 1), event(MS - 14 * DAY, "old")])
    assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 2}
    new = put(logs, [event(MS, "now"), event(MS + 2 * hours, "soon"), event(MS + 2 * hours + 1)])
    assert new["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 2}
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    expired = put(logs, [event(MS - DAY - 1), event(MS - 1, "kept")])
    assert expired["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    logs.delete_retention_policy(logGroupName=GROUP)
    assert messages(get(logs)) == ["old", "kept", "now", "soon"]


def test_sequence_tokens_are_ignored(logs: Any) -> None:
    for token in ("1", "anything"):
        answer = logs.put_log_events(
            logGroupName=GROUP,
            logStreamName=STREAM,
            logEvents=[event(MS)],
            sequenceToken=token,
        )
        assert answer["nextSequenceToken"]


def test_what_can_not_be_written_is_not_acknowledged(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = api.client("logs", retries={"max_attempts": 0})
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(api.logs, "append", full)
        arguments = {"logGroupName": GROUP, "logStreamName": STREAM, "logEvents": [event(MS)]}
        code, message = refusal(logs.put_log_events, **arguments)
    assert code == "ServiceUnavailableException"
    assert "can't be written" in message
    assert get(logs)["events"] == []


def test_group_and_stream_must_be_there(logs: Any) -> None:
    arguments = {"logGroupName": GROUP, "logStreamName": "none"}
    missing = ("ResourceNotFoundException", "The specified log stream does not exist.")
    assert refusal(logs.put_log_events, logEvents=[event(MS)], **arguments) == missing
    assert refusal(logs.get_log_events, **arguments) == missing
    searched = {"logGroupName": GROUP, "logStreamNames": ["none"]}
    assert refusal(logs.filter_log_events, **searched) == missing
    assert refusal(logs.filter_log_events, logGroupName="none") == (
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )


# ── Reading one stream ─────────────────────────────────────────────────────────────────────────


def test_a_stream_is_read_forwards_to_its_end_and_on(logs: Any) -> None:
    put(logs, numbered(25))
    seen: list[str] = []
    page = get(logs, limit=10, startFromHead=True)
    while page["events"]:
        seen += messages(page)
        before = page
        page = get(logs, limit=10, startFromHead=True, nextToken=page["nextForwardToken"])
    assert seen == [str(n) for n in range(25)]
    assert page["nextForwardToken"] == before["nextForwardToken"], "the same token at the end"
    put(logs, numbered(5, first=25))
    more = get(logs, startFromHead=True, nextToken=page["nextForwardToken"])
    assert messages(more) == ["25", "26", "27", "28", "29"]
    back = get(logs, limit=3, nextToken=more["nextBackwardToken"])
    assert messages(back) == ["22", "23", "24"]


def test_without_more_the_newest_page_comes_first_and_tokens_lead_back(logs: Any) -> None:
    put(logs, numbered(25))
    seen: list[list[str]] = []
    page = get(logs, limit=10)
    while page["events"]:
        seen.append(messages(page))
        token = page["nextBackwardToken"]
        page = get(logs, limit=10, nextToken=token)
    assert [len(page) for page in seen] == [10, 10, 5]
    assert [int(m) for page in reversed(seen) for m in page] == list(range(25))
    assert page["nextBackwardToken"] == token
    assert messages(get(logs, nextToken=page["nextForwardToken"], limit=2)) == ["0", "1"]


def test_an_empty_stream_has_tokens_that_find_what_comes(logs: Any) -> None:
    empty = get(logs, startTime=MS, startFromHead=True)
    assert empty["events"] == []
    put(logs, numbered(2))
    found = get(logs, startTime=MS, startFromHead=True, nextToken=empty["nextForwardToken"])
    assert messages(found) == ["0", "1"]


def test_times_bound_what_is_read(logs: Any) -> None:
    put(logs, numbered(10))
    assert messages(get(logs, startTime=MS + 3, endTime=MS + 5)) == ["3", "4"]
    found = logs.filter_log_events(logGroupName=GROUP, startTime=MS + 3, endTime=MS + 5)
    assert messages(found) == ["3", "4", "5"], "of a search the end is included"


def test_a_page_is_at_most_a_mebibyte(logs: Any) -> None:
    for n in range(3):
        put(logs, [event(MS + n, str(n) * 600_000)])
    assert [m[0] for m in messages(get(logs))] == ["2"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
    assert [[m[0] for m in messages(page)] for page in pages] == [["0"], ["1"], ["2"]]


def test_late_events_are_read_in_their_place(logs: Any) -> None:
    put(logs, [event(MS + n, str(n)) for n in range(0, 10, 2)])
    put(logs, [event(MS + n, str(n)) for n in range(1, 10, 2)])
    assert messages(get(logs)) == [str(n) for n in range(10)]


@pytest.mark.parametrize("token", ["x", "f/1", "f/x/s", "g/1/s", "f/" + "9" * 100 + "/s", "f/-1/s"])
def test_a_token_that_is_none_is_refused(logs: Any, token: str) -> None:
    arguments = {"logGroupName": GROUP, "logStreamName": STREAM, "nextToken": token}
    assert refusal(logs.get_log_events, **arguments) == (
        "InvalidParameterException",
        "The specified nextToken is invalid.",
    )
    code, _ = refusal(logs.filter_log_events, logGroupName=GROUP, nextToken=token)
    assert code == "InvalidParameterException"


# ── Searching a group ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def three_streams(logs: Any) -> Any:
    """a/1, a/2 and b/1 with ten events each, their times interleaved."""
    for number, name in enumerate(("a/1", "a/2", "b/1")):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=name)
        put(logs, [event(MS + 3 * n + number, f"{name} {n}") for n in range(10)], name)
    return logs


def searched(logs: Any, size: int | None = None, **more: Any) -> list[dict[str, Any]]:
    """All pages; no event twice."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, PaginationConfig={"PageSize": size}, **more
    )
    found = [event for page in pages for event in page["events"]]
    assert len({event["eventId"] for event in found}) == len(found)
    return found


@pytest.mark.parametrize("size", [None, 1, 7])
def test_streams_are_interleaved_by_time(three_streams: Any, size: int | None) -> None:
    found = searched(three_streams, size)
    assert [e["timestamp"] for e in found] == [MS + n for n in range(30)]
    assert found[4]["logStreamName"] == "a/2"
    assert found[4]["message"] == "a/2 1"


@pytest.mark.parametrize("size", [None, 1, 7])
def test_newest_first(three_streams: Any, size: int | None) -> None:
    found = searched(three_streams, size, startFromHead=False, startTime=MS)
    assert [e["timestamp"] for e in found] == [MS + n for n in reversed(range(30))]
    arguments = {"logGroupName": GROUP, "startFromHead": False}
    code, _ = refusal(three_streams.filter_log_events, **arguments)
    assert code == "InvalidParameterException"


@pytest.mark.parametrize("forwards", [True, False])
def test_events_of_one_moment_in_many_streams_are_paged_without_loss(
    logs: Any, forwards: bool
) -> None:
    for name in "pqrstu":
        logs.create_log_stream(logGroupName=GROUP, logStreamName=name)
        put(logs, [event(MS, f"{name}{n}") for n in range(5)], name)
    found = searched(logs, 4, startFromHead=forwards, startTime=MS - 1)
    assert sorted(e["message"] for e in found) == [
        f"{name}{n}" for name, n in itertools.product("pqrstu", range(5))
    ]


def test_streams_are_chosen_by_name_or_prefix(three_streams: Any) -> None:
    names = {e["logStreamName"] for e in searched(three_streams, logStreamNamePrefix="a/")}
    assert names == {"a/1", "a/2"}
    names = {e["logStreamName"] for e in searched(three_streams, logStreamNames=["b/1", "a/1"])}
    assert names == {"a/1", "b/1"}
    both = {"logGroupName": GROUP, "logStreamNames": ["b/1"], "logStreamNamePrefix": "a"}
    assert refusal(three_streams.filter_log_events, **both)[0] == "InvalidParameterException"


def test_a_pattern_chooses_what_is_found(three_streams: Any) -> None:
    found = searched(three_streams, 2, filterPattern='"a/2" -9')
    assert [e["message"] for e in found] == [f"a/2 {n}" for n in range(9)]
    code, message = refusal(
        three_streams.filter_log_events, logGroupName=GROUP, filterPattern="{ $.a ="
    )
    assert (code, "filter pattern" in message) == ("InvalidParameterException", True)


def test_a_search_without_matches_ends(logs: Any) -> None:
    """In steps: a page looks at so many events and no more."""
    for _ in range(3):
        put(logs, [event(MS, "x")] * 10_000)
    pages = list(
        logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, filterPattern="y")
    )
    assert [page["events"] for page in pages] == [[], [], []]


def test_a_group_is_named_one_way(logs: Any) -> None:
    arn = logs.describe_log_groups()["logGroups"][0]["arn"]
    put(logs, numbered(1))
    assert messages(logs.filter_log_events(logGroupIdentifier=arn)) == ["0"]
    found = logs.get_log_events(logGroupIdentifier=GROUP, logStreamName=STREAM)
    assert messages(found) == ["0"]
    assert refusal(logs.filter_log_events)[0] == "InvalidParameterException"
    both = {"logGroupName": GROUP, "logGroupIdentifier": arn}
    assert refusal(logs.filter_log_events, **both)[0] == "InvalidParameterException"


# ── Streams, groups, time ──────────────────────────────────────────────────────────────────────


def test_streams_say_their_first_and_last_event(three_streams: Any, clock: Clock) -> None:
    clock.now += 7
    put(three_streams, [event(MS + 5000, "last")], "a/1")
    described = three_streams.describe_log_streams(
        logGroupName=GROUP, orderBy="LastEventTime", descending=True
    )["logStreams"]
    assert [s["logStreamName"] for s in described] == ["a/1", "b/1", "a/2", STREAM]
    first = described[0]
    times = (first["firstEventTimestamp"], first["lastEventTimestamp"], first["lastIngestionTime"])
    assert times == (MS, MS + 5000, MS + 7000)
    assert "lastEventTimestamp" not in described[-1]
    ascending = three_streams.get_paginator("describe_log_streams").paginate(
        logGroupName=GROUP, orderBy="LastEventTime", PaginationConfig={"PageSize": 3}
    )
    names = [s["logStreamName"] for page in ascending for s in page["logStreams"]]
    assert names == [STREAM, "a/2", "b/1", "a/1"]


def test_expired_events_are_not_seen_and_their_files_go(api: Api, logs: Any, clock: Clock) -> None:
    put(logs, numbered(3))
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    clock.now += 86_400 - 1
    assert len(get(logs)["events"]) == 3
    clock.now += 2
    assert get(logs)["events"] == []
    assert searched(logs) == []
    work(api, clock)
    assert logs.describe_log_groups()["logGroups"][0]["storedBytes"] == 0
    put(logs, [event(int(clock.now * 1000), "new")])
    assert messages(get(logs)) == ["new"]


def test_events_go_with_their_stream_and_a_new_one_of_its_name_is_empty(
    api: Api, logs: Any, clock: Clock
) -> None:
    put(logs, numbered(3))
    assert logs.describe_log_groups()["logGroups"][0]["storedBytes"] > 0
    controllers = runner(api, clock)
    logs.delete_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    assert get(logs)["events"] == []
    put(logs, numbered(1))
    controllers.work(100)
    assert messages(get(logs)) == ["0"]
    assert len(list(api.log_directory.iterdir())) == 1, "the former stream's folder is gone"
    logs.delete_log_group(logGroupName=GROUP)
    controllers.work(100)
    assert list(api.log_directory.iterdir()) == []


def test_what_a_kill_left_over_of_a_deleted_stream_goes_at_the_next_start(
    api: Api, logs: Any, clock: Clock
) -> None:
    put(logs, numbered(1))
    api.logs.append("of a stream that is gone", [(MS, "x")], MS)
    work(api, clock)
    assert len(list(api.log_directory.iterdir())) == 1
    assert messages(get(logs)) == ["0"]


def runner(api: Api, clock: Clock) -> Runner:
    controller = LogEventsController(api.logs, lambda: api.store.durable_revision)
    made = Runner(api.store, [controller], clock)
    api.store.feed.subscribe(made._on_changes)
    made.enqueue_everything()
    made.work(100)
    return made


def work(api: Api, clock: Clock) -> None:
    """What the controllers of a process that starts now do."""
    runner(api, clock)
