"""DescribeParameters: everything but the values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.domain.parameter import Parameter
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import PARAMETERS
from homeport.wire.paging import paginate

from .errors import ValidationException
from .filters import matching
from .names import find_version, wanted
from .reading import described

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import (
        DescribeParametersRequestTypeDef,
        ParameterStringFilterTypeDef,
    )

PAGE = 50


def describe_parameters(call: Call, request: DescribeParametersRequestTypeDef) -> Response:
    """In the order of their names; ``Filters`` is the older form of ``ParameterFilters``."""
    if request.get("Filters") and request.get("ParameterFilters"):
        raise ValidationException(
            "You can use either Filters or ParameterFilters in a single request."
        )
    filters: list[ParameterStringFilterTypeDef] = list(request.get("ParameterFilters") or ())
    for old in request.get("Filters") or ():
        option = "BeginsWith" if old["Key"] == "Name" else "Equals"
        filters.append({"Key": old["Key"], "Option": option, "Values": old["Values"]})
    # nothing is shared with this account
    candidates = [] if request.get("Shared") else call.tx.all(PARAMETERS)
    page, token = paginate(
        matching(call, candidates, filters),
        lambda p: p.name,
        request.get("MaxResults", PAGE),
        request.get("NextToken"),
        "InvalidNextToken",
    )
    return {"Parameters": [_view(call, p) for p in page], "NextToken": token}


def _view(call: Call, parameter: Parameter) -> Response:
    newest = find_version(call, wanted(call, parameter.name))
    return {**described(newest), "ARN": parameter.arn}


OPERATIONS: dict[str, Handler] = {"DescribeParameters": describe_parameters}
