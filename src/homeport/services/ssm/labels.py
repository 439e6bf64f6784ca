"""Labels of parameter versions: a label is on one version of a parameter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from homeport.services.call import Call, Handler, Response
from homeport.store.schema import PARAMETER_VERSIONS

from .errors import ParameterVersionLabelLimitExceeded
from .names import Wanted, find_parameter, find_version, versions, wanted

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import (
        LabelParameterVersionRequestTypeDef,
        UnlabelParameterVersionRequestTypeDef,
    )

MAX_LABELS = 10
# Not a digit first, not a name that AWS keeps for itself.
_LABEL = re.compile(r"(?!aws|ssm|[0-9])[A-Za-z0-9_.-]{1,100}", re.IGNORECASE)


def label_parameter_version(call: Call, request: LabelParameterVersionRequestTypeDef) -> Response:
    """Labels are moved from the version that had them; those that can't be are listed."""
    parameter = find_parameter(call, wanted(call, request["Name"]).name)
    number = request.get("ParameterVersion") or parameter.version
    target = find_version(call, Wanted(parameter.name, parameter.name, f":{number}"))
    labels = list(dict.fromkeys(request["Labels"]))
    valid = [label for label in labels if _LABEL.fullmatch(label)]
    if len({*target.labels, *valid}) > MAX_LABELS:
        raise ParameterVersionLabelLimitExceeded
    for other in versions(call, parameter.name):
        if other.version != target.version and set(valid) & set(other.labels):
            kept = tuple(label for label in other.labels if label not in valid)
            call.tx.put(PARAMETER_VERSIONS, replace(other, labels=kept))
    merged = tuple(dict.fromkeys((*target.labels, *valid)))
    call.tx.put(PARAMETER_VERSIONS, replace(target, labels=merged))
    invalid = [label for label in labels if label not in valid]
    return {"InvalidLabels": invalid, "ParameterVersion": target.version}


def unlabel_parameter_version(
    call: Call, request: UnlabelParameterVersionRequestTypeDef
) -> Response:
    """Labels that are not on the version are listed, not an error."""
    parameter = find_parameter(call, wanted(call, request["Name"]).name)
    selector = f":{request['ParameterVersion']}"
    target = find_version(call, Wanted(parameter.name, parameter.name, selector))
    given = list(dict.fromkeys(request["Labels"]))
    kept = tuple(label for label in target.labels if label not in given)
    call.tx.put(PARAMETER_VERSIONS, replace(target, labels=kept))
    return {
        "RemovedLabels": [label for label in given if label in target.labels],
        "InvalidLabels": [label for label in given if label not in target.labels],
    }


OPERATIONS: dict[str, Handler] = {
    "LabelParameterVersion": label_parameter_version,
    "UnlabelParameterVersion": unlabel_parameter_version,
}
