"""Log streams. Source: CloudWatch Logs API reference."""

from __future__ import annotations

import re
from collections.abc import Callable

from homeport.domain.logs import LogGroup, LogStream
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import LOG_STREAMS
from homeport.wire.paging import paginate

from .errors import InvalidParameterException, ResourceAlreadyExistsException, StreamNotFound
from .groups import MAX_PAGE, find_group, identified_group
from .requests import DescribeLogStreamsRequest, StreamRequest

ORDERS = ("LogStreamName", "LastEventTime")
_NAME = re.compile(r"[^:*]{1,512}")
_LATEST = 10**19


def create_log_stream(call: Call, request: StreamRequest) -> Response:
    """An empty stream."""
    name = request["logStreamName"]
    if not _NAME.fullmatch(name):
        raise InvalidParameterException(
            f"1 validation error detected: Value '{name[:128]}' at 'logStreamName' failed to "
            "satisfy constraint: Member must satisfy regular expression pattern: [^:*]*"
        )
    group = find_group(call, request["logGroupName"])
    arn = stream_arn(group.arn, name)
    if call.tx.get(LOG_STREAMS, arn) is not None:
        raise ResourceAlreadyExistsException("The specified log stream already exists")
    call.tx.put(LOG_STREAMS, LogStream(arn, group.arn, name, call.now, call.request_id))
    return {}


def delete_log_stream(call: Call, request: StreamRequest) -> Response:
    """The stream; its events are removed once this is durable."""
    group = find_group(call, request["logGroupName"])
    call.tx.delete(LOG_STREAMS, find_stream(call, group, request["logStreamName"]).arn)
    return {}


def describe_log_streams(call: Call, request: DescribeLogStreamsRequest) -> Response:
    """Of one group, by name or by the time of their last events."""
    prefix = request.get("logStreamNamePrefix", "")
    by_time = _by_time(request)
    group = identified_group(call, request)
    found = call.tx.find(LOG_STREAMS, "group", group.arn)
    page, token = paginate(
        [stream for stream in found if stream.name.startswith(prefix)],
        _order(call, by_time=by_time, descending=request.get("descending", False)),
        request.get("limit", MAX_PAGE),
        request.get("nextToken"),
    )
    return {"logStreams": [_view(call, stream) for stream in page], "nextToken": token}


def _by_time(request: DescribeLogStreamsRequest) -> bool:
    order = request.get("orderBy", ORDERS[0])
    if order not in ORDERS:
        raise InvalidParameterException(
            f"1 validation error detected: Value '{order[:128]}' at 'orderBy' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{', '.join(ORDERS)}]"
        )
    if order == "LastEventTime" and request.get("logStreamNamePrefix"):
        raise InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
    return order == "LastEventTime"


def stream_arn(group_arn: str, name: str) -> str:
    """The ARN, which is the key as well."""
    return f"{group_arn}:log-stream:{name}"


def find_stream(call: Call, group: LogGroup, name: str) -> LogStream:
    """By name. Raises StreamNotFound."""
    stream = call.tx.get(LOG_STREAMS, stream_arn(group.arn, name))
    if stream is None:
        raise StreamNotFound
    return stream


def _order(call: Call, *, by_time: bool, descending: bool) -> Callable[[LogStream], str]:
    """A sort key as text; streams without events count as the oldest."""

    def key(stream: LogStream) -> str:
        name = _backwards(stream.name) if descending else stream.name
        if not by_time:
            return name
        span = call.logs.span(stream.events)
        last = span[1] if span else 0
        return f"{_LATEST - last if descending else last:020d}|{name}"

    return key


def _backwards(name: str) -> str:
    """A key in whose order names descend: each byte complemented, then an end after all."""
    return "".join(f"{255 - byte:02x}" for byte in name.encode()) + "~"


def _view(call: Call, stream: LogStream) -> dict[str, object]:
    first, last, ingested = call.logs.span(stream.events) or (None, None, None)
    return {
        "logStreamName": stream.name,
        "creationTime": int(stream.created_at * 1000),
        "firstEventTimestamp": first,
        "lastEventTimestamp": last,
        "lastIngestionTime": ingested,
        "arn": stream.arn,
        "storedBytes": 0,
    }


OPERATIONS: dict[str, Handler] = {
    "CreateLogStream": create_log_stream,
    "DeleteLogStream": delete_log_stream,
    "DescribeLogStreams": describe_log_streams,
}
