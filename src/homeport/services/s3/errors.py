"""The error codes of S3. Source: "Error responses", S3 API reference."""

from __future__ import annotations

from homeport.wire.errors import ServiceError


class NoSuchBucket(ServiceError):
    """No such bucket."""

    http_status = 404
    default_message = "The specified bucket does not exist"


class NoSuchKey(ServiceError):
    """No such object."""

    http_status = 404
    default_message = "The specified key does not exist."


class NotFound(ServiceError):
    """What HEAD says: an answer without a body has no finer code."""

    http_status = 404
    code_name = "404"
    default_message = "Not Found"


class InvalidBucketName(ServiceError):
    """A name that no bucket can have."""

    default_message = "The specified bucket is not valid."


class BucketAlreadyOwnedByYou(ServiceError):
    """The bucket is there."""

    http_status = 409
    default_message = (
        "Your previous request to create the named bucket succeeded and you already own it."
    )


class BucketNotEmpty(ServiceError):
    """Objects are in it."""

    http_status = 409
    default_message = "The bucket you tried to delete is not empty"


class IllegalLocationConstraintException(ServiceError):
    """A bucket of another region."""


class InvalidArgument(ServiceError):
    """A parameter of the request is not valid."""


class KeyTooLongError(ServiceError):
    """A key of more than 1,024 bytes."""

    default_message = "Your key is too long"


class BadDigest(ServiceError):
    """The content is not what its checksum says."""


class InvalidDigest(ServiceError):
    """A checksum that is none."""


class InvalidRange(ServiceError):
    """A range outside of the object."""

    http_status = 416
    default_message = "The requested range is not satisfiable"


class PreconditionFailed(ServiceError):
    """``If-…`` does not hold."""

    http_status = 412
    default_message = "At least one of the pre-conditions you specified did not hold"


class NotModified(ServiceError):
    """The reader has it already."""

    http_status = 304
    default_message = "Not Modified"


class NotSupported(ServiceError):
    """What the request asks for is not there."""

    code_name = "NotImplemented"
    http_status = 501
