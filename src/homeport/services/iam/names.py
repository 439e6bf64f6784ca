"""Names, paths and tags as IAM takes them. The wire has checked lengths already.

Source: "IAM and AWS STS quotas", IAM user guide; patterns of botocore's model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from homeport.domain.cluster import Tag

from .errors import InvalidInput, LimitExceeded, ValidationError

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import TagTypeDef

MAX_TAGS = 50
_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]+")
_PATH = re.compile(r"/|/[\x21-\x7e]+/")
_POLICY_ARN = re.compile(r"arn:aws:iam::(?:[0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+")


def checked_name(name: str, member: str) -> str:
    """The name; ``member`` as IAM names it, e.g. ``userName``."""
    if not _NAME.fullmatch(name):
        raise ValidationError(
            f"The specified value for {member} is invalid. It must contain only alphanumeric "
            "characters and/or the following: +=,.@_-"
        )
    return name


def checked_path(path: str | None) -> str:
    """The path of an entity, ``/`` if none was given."""
    path = path or "/"
    if not _PATH.fullmatch(path) or "//" in path:
        raise ValidationError(
            "The specified value for path is invalid. It must begin and end with / and contain "
            "only alphanumeric characters and/or / characters."
        )
    return path


def checked_policy_arn(arn: str) -> str:
    """The ARN of a managed policy, existing or not."""
    if not _POLICY_ARN.fullmatch(arn):
        raise InvalidInput(f"ARN {arn[:256]} is not valid.")
    return arn


def new_tags(tags: Sequence[TagTypeDef] | None) -> tuple[Tag, ...]:
    """The tags of a new entity."""
    return with_tags((), tags or ())


def with_tags(before: tuple[Tag, ...], tags: Sequence[TagTypeDef]) -> tuple[Tag, ...]:
    """The tags with some set; keys are the same whatever their case."""
    keys = [tag["Key"].lower() for tag in tags]
    if len(set(keys)) < len(keys):
        raise InvalidInput(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    for tag in tags:
        if tag["Key"].lower().startswith("aws:"):
            raise InvalidInput("Tag keys that start with aws: are reserved for AWS.")
    kept = tuple(tag for tag in before if tag.key.lower() not in keys)
    after = (*kept, *(Tag(tag["Key"], tag["Value"]) for tag in tags))
    if len(after) > MAX_TAGS:
        raise LimitExceeded(
            f"The number of tags has reached the maximum limit of {MAX_TAGS} for this resource."
        )
    return after


def without_tags(before: tuple[Tag, ...], keys: Iterable[str]) -> tuple[Tag, ...]:
    """The tags without those keys."""
    gone = {key.lower() for key in keys}
    return tuple(tag for tag in before if tag.key.lower() not in gone)
