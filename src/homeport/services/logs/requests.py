"""The members of requests that the operations read, as the wire decodes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict


class CreateLogGroupRequest(TypedDict):
    """CreateLogGroup."""

    logGroupName: str
    kmsKeyId: NotRequired[str]
    tags: NotRequired[Mapping[str, str]]
    logGroupClass: NotRequired[str]
    deletionProtectionEnabled: NotRequired[bool]


class GroupRequest(TypedDict):
    """What names one log group and nothing else."""

    logGroupName: str


class DescribeLogGroupsRequest(TypedDict, total=False):
    """DescribeLogGroups."""

    logGroupNamePrefix: str
    logGroupNamePattern: str
    logGroupIdentifiers: Sequence[str]
    logGroupClass: str
    nextToken: str
    limit: int


class PutRetentionPolicyRequest(TypedDict):
    """PutRetentionPolicy."""

    logGroupName: str
    retentionInDays: int


class StreamRequest(TypedDict):
    """What names one stream and nothing else."""

    logGroupName: str
    logStreamName: str


class IdentifiedGroupRequest(TypedDict, total=False):
    """What names a group by its name or by name or ARN."""

    logGroupName: str
    logGroupIdentifier: str


class DescribeLogStreamsRequest(IdentifiedGroupRequest, total=False):
    """DescribeLogStreams."""

    logStreamNamePrefix: str
    orderBy: str
    descending: bool
    nextToken: str
    limit: int


class InputEvent(TypedDict):
    """One event of PutLogEvents."""

    timestamp: int
    message: str


class PutLogEventsRequest(TypedDict):
    """PutLogEvents; ``sequenceToken`` and ``entity`` are ignored."""

    logGroupName: str
    logStreamName: str
    logEvents: Sequence[InputEvent]


class GetLogEventsRequest(IdentifiedGroupRequest):
    """GetLogEvents."""

    logStreamName: str
    startTime: NotRequired[int]
    endTime: NotRequired[int]
    nextToken: NotRequired[str]
    limit: NotRequired[int]
    startFromHead: NotRequired[bool]


class FilterLogEventsRequest(IdentifiedGroupRequest, total=False):
    """FilterLogEvents; ``interleaved`` is always so."""

    logStreamNames: Sequence[str]
    logStreamNamePrefix: str
    startTime: int
    endTime: int
    filterPattern: str
    nextToken: str
    limit: int
    startFromHead: bool


class TagResourceRequest(TypedDict):
    """TagResource."""

    resourceArn: str
    tags: Mapping[str, str]


class UntagResourceRequest(TypedDict):
    """UntagResource."""

    resourceArn: str
    tagKeys: Sequence[str]


class ResourceRequest(TypedDict):
    """ListTagsForResource."""

    resourceArn: str


class TagLogGroupRequest(TypedDict):
    """TagLogGroup."""

    logGroupName: str
    tags: Mapping[str, str]


class UntagLogGroupRequest(TypedDict):
    """UntagLogGroup."""

    logGroupName: str
    tags: Sequence[str]
