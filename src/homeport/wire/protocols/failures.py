"""Invalid documents → the error code that the service answers with."""

from __future__ import annotations

from homeport.wire.errors import ApiError
from homeport.wire.model import Service
from homeport.wire.shapes import Invalid

# What a service says of a value that breaks the model's constraints.
CONSTRAINT_CODES = {
    "ecs": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "ecr": "InvalidParameterException",
    "elbv2": "ValidationError",
    "iam": "ValidationError",
    "sts": "ValidationError",
    "ec2": "InvalidParameterValue",
    "s3": "InvalidArgument",
}


def invalid_to_error(service: Service, error: Invalid) -> ApiError:
    """The ApiError for a document that does not fit; its message names the field."""
    where = error.field()
    if error.kind == "type":
        code = _type_code(service.protocol)
        return ApiError(code, f"{where}: {error.message}" if where else error.message)
    if service.protocol == "ec2" and "must not be null" in error.message:
        return ApiError(
            "MissingParameter", f"The request must contain the parameter {where or 'body'}"
        )
    code = CONSTRAINT_CODES.get(service.name, "ValidationException")
    detail = error.message.replace(" failed to", f" at '{where}' failed to", 1)
    return ApiError(code, f"1 validation error detected: {detail}")


def _type_code(protocol: str) -> str:
    match protocol:
        case "ec2":
            return "InvalidParameterValue"
        case "query":
            return "MalformedInput"
        case "rest-xml":
            return "InvalidArgument"
        case _:
            return "SerializationException"
