"""Log streams. Source: CloudWatch Logs API reference."""

from __future__ import annotations

import re

from homeport.domain.logs import LogStream
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import LOG_STREAMS
from homeport.wire.paging import paginate

from .errors import InvalidParameterException, ResourceAlreadyExistsException, StreamNotFound
from .groups import MAX_PAGE, find_group, name_of
from .requests import DescribeLogStreamsRequest, StreamRequest

_NAME = re.compile(r"[^:*]{1,512}")


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
    call.tx.put(LOG_STREAMS, LogStream(arn, group.arn, name, call.now))
    return {}


def delete_log_stream(call: Call, request: StreamRequest) -> Response:
    """The stream alone."""
    group = find_group(call, request["logGroupName"])
    arn = stream_arn(group.arn, request["logStreamName"])
    if call.tx.get(LOG_STREAMS, arn) is None:
        raise StreamNotFound
    call.tx.delete(LOG_STREAMS, arn)
    return {}


def describe_log_streams(call: Call, request: DescribeLogStreamsRequest) -> Response:
    """Of one group, by name; without events all have the same (no) last event."""
    identifier = request.get("logGroupName") or request.get("logGroupIdentifier")
    if identifier is None:
        raise InvalidParameterException("Specify either logGroupName or logGroupIdentifier.")
    prefix = request.get("logStreamNamePrefix", "")
    if prefix and request.get("orderBy") == "LastEventTime":
        raise InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
    group = find_group(call, name_of(identifier))
    found = call.tx.find(LOG_STREAMS, "group", group.arn)
    page, token = paginate(
        [stream for stream in found if stream.name.startswith(prefix)],
        _backwards if request.get("descending") else _name,
        request.get("limit", MAX_PAGE),
        request.get("nextToken"),
    )
    return {"logStreams": [_view(stream) for stream in page], "nextToken": token}


def stream_arn(group_arn: str, name: str) -> str:
    """The ARN, which is the key as well."""
    return f"{group_arn}:log-stream:{name}"


def _name(stream: LogStream) -> str:
    return stream.name


def _backwards(stream: LogStream) -> str:
    """A key in whose order names descend: each byte complemented, then an end after all."""
    return "".join(f"{255 - byte:02x}" for byte in stream.name.encode()) + "~"


def _view(stream: LogStream) -> dict[str, object]:
    return {
        "logStreamName": stream.name,
        "creationTime": int(stream.created_at * 1000),
        "arn": stream.arn,
        "storedBytes": 0,
    }


OPERATIONS: dict[str, Handler] = {
    "CreateLogStream": create_log_stream,
    "DeleteLogStream": delete_log_stream,
    "DescribeLogStreams": describe_log_streams,
}
