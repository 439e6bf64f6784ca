"""BatchGetSecretValue: current values of several secrets, what can't be read beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.domain.secret import Secret
from homeport.services.call import Call, Handler, Response
from homeport.wire.paging import paginate

from .errors import (
    InvalidParameterException,
    InvalidRequestException,
    ResourceNotFoundException,
)
from .listing import matching
from .reading import read_value
from .resolve import find_version, usable_secret

if TYPE_CHECKING:
    from types_boto3_secretsmanager.type_defs import BatchGetSecretValueRequestTypeDef

PAGE = 20


def batch_get_secret_value(call: Call, request: BatchGetSecretValueRequestTypeDef) -> Response:
    """By ids or by filters, not both."""
    ids, filters = request.get("SecretIdList"), request.get("Filters")
    if bool(ids) == bool(filters):
        raise InvalidParameterException(
            "Either 'SecretIdList' or 'Filters' must be provided, but not both."
        )
    if ids:
        if request.get("MaxResults") is not None:
            raise InvalidParameterException("'Filters' not specified, 'MaxResults' is not allowed.")
        return _read(call, list(dict.fromkeys(ids)), None)
    found: list[Secret] = [s for s in matching(call, filters or ()) if s.delete_at is None]
    page, token = paginate(
        found,
        lambda s: s.arn,
        request.get("MaxResults", PAGE),
        request.get("NextToken"),
        "InvalidNextTokenException",
    )
    return _read(call, [s.arn for s in page], token)


def _read(call: Call, identifiers: list[str], token: str | None) -> Response:
    values, errors = [], []
    for identifier in identifiers:
        try:
            secret = usable_secret(call, identifier)
            values.append(read_value(call, secret, find_version(call, secret, None, None)))
        except (ResourceNotFoundException, InvalidRequestException) as error:
            errors.append(
                {"SecretId": identifier, "ErrorCode": error.code, "Message": error.message}
            )
    return {"SecretValues": values, "Errors": errors, "NextToken": token}


OPERATIONS: dict[str, Handler] = {"BatchGetSecretValue": batch_get_secret_value}
