"""DeleteParameter, DeleteParameters: all versions at once, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.services.call import Call, Handler, Response
from homeport.store.schema import PARAMETER_VERSIONS, PARAMETERS

from .errors import ParameterNotFound
from .names import find_parameter, versions, wanted

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import (
        DeleteParameterRequestTypeDef,
        DeleteParametersRequestTypeDef,
    )


def delete_parameter(call: Call, request: DeleteParameterRequestTypeDef) -> Response:
    """One."""
    _delete(call, request["Name"])
    return {}


def delete_parameters(call: Call, request: DeleteParametersRequestTypeDef) -> Response:
    """Up to ten; what is not there is listed, not an error."""
    deleted, invalid = [], []
    for name in dict.fromkeys(request["Names"]):
        try:
            _delete(call, name)
        except ParameterNotFound:
            invalid.append(name)
        else:
            deleted.append(name)
    return {"DeletedParameters": deleted, "InvalidParameters": invalid}


def _delete(call: Call, given: str) -> None:
    parameter = find_parameter(call, wanted(call, given).name)
    for version in versions(call, parameter.name):
        call.tx.delete(PARAMETER_VERSIONS, f"{version.name}|{version.version}")
    call.tx.delete(PARAMETERS, parameter.name)


OPERATIONS: dict[str, Handler] = {
    "DeleteParameter": delete_parameter,
    "DeleteParameters": delete_parameters,
}
