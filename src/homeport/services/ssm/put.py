"""PutParameter. Source: Systems Manager API reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import re2  # type: ignore[import-untyped]
from msgspec.structs import replace

from homeport.domain.parameter import Parameter, ParameterTier, ParameterType, ParameterVersion
from homeport.domain.vault import Sealed
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import PARAMETER_VERSIONS, PARAMETERS

from .errors import (
    HierarchyTypeMismatchException,
    InvalidAllowedPatternException,
    InvalidKeyId,
    InvalidPolicyTypeException,
    ParameterAlreadyExists,
    ParameterMaxVersionLimitExceeded,
    ParameterPatternMismatchException,
    UnsupportedParameterType,
    ValidationException,
)
from .names import check_name, versions
from .tags import parse_tags

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import PutParameterRequestTypeDef

TYPES = ("String", "StringList", "SecureString")
TIERS = ("Standard", "Advanced", "Intelligent-Tiering")
OWN_KEYS = ("alias/aws/ssm",)
STANDARD_CHARACTERS = 4096
ADVANCED_CHARACTERS = 8192
MAX_VERSIONS = 100
_GUIDE = (
    "For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "parameter-store-advanced-parameters.html"
)


def put_parameter(call: Call, request: PutParameterRequestTypeDef) -> Response:
    """A new parameter, or with ``Overwrite`` a new version of one."""
    name = request["Name"]
    check_name(call, name)
    existing = call.tx.get(PARAMETERS, name)
    if existing is not None and not request.get("Overwrite"):
        raise ParameterAlreadyExists
    if request.get("Tags") and request.get("Overwrite"):
        raise ValidationException(
            "Invalid request: tags and overwrite can't be used together. To create a parameter "
            "with tags, please remove overwrite flag. To update tags for an existing parameter, "
            "please use AddTagsToResource or RemoveTagsFromResource."
        )
    _refuse_what_is_not_there(request)
    before = _newest(call, existing)
    type_ = _type(request, existing)
    tier = _tier(request, before)
    _check_pattern(request)
    version = ParameterVersion(
        name=name,
        version=existing.version + 1 if existing else 1,
        value=Sealed(),
        type=type_,
        modified_at=call.now,
        modified_by=call.principal.arn,
        tier=tier,
        description=request.get("Description", before.description if before else ""),
        allowed_pattern=request.get("AllowedPattern", ""),
        data_type=request.get("DataType") or "text",
    )
    _make_room(call, name)
    sealed = call.vault.seal_text(request["Value"], version.owner)
    call.tx.put(PARAMETER_VERSIONS, replace(version, value=sealed))
    call.tx.put(
        PARAMETERS,
        Parameter(
            name=name,
            arn=call.arns.parameter(name),
            type=type_,
            version=version.version,
            tags=existing.tags if existing else parse_tags(request.get("Tags") or ()),
        ),
    )
    return {"Version": version.version, "Tier": tier}


def _newest(call: Call, parameter: Parameter | None) -> ParameterVersion | None:
    if parameter is None:
        return None
    return call.tx.get(PARAMETER_VERSIONS, f"{parameter.name}|{parameter.version}")


def _refuse_what_is_not_there(request: PutParameterRequestTypeDef) -> None:
    if request.get("Policies", "[]").strip() not in ("", "[]"):
        raise InvalidPolicyTypeException("Homeport has no parameter policies: Policies.")
    data_type = request.get("DataType") or "text"
    if data_type != "text":
        raise ValidationException(
            f"The following data type is not supported: {data_type[:128]} (Data type names are all "
            "lowercase.)"
        )


def _type(request: PutParameterRequestTypeDef, existing: Parameter | None) -> ParameterType:
    type_ = request.get("Type") or (existing.type if existing else None)
    if type_ is None:
        raise ValidationException("A parameter type is required when you create a parameter.")
    if type_ not in TYPES:
        raise UnsupportedParameterType(
            f"1 validation error detected: Value '{type_[:64]}' at 'type' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{', '.join(TYPES)}]"
        )
    if existing is not None and existing.type != type_:
        raise HierarchyTypeMismatchException
    key = request.get("KeyId")
    if key and type_ != "SecureString":
        raise ValidationException("KeyId is required for SecureString type parameter only.")
    if key and key not in OWN_KEYS:
        raise InvalidKeyId(
            f"Homeport has no KMS keys; SecureString values are sealed with its own: KeyId {key}."
        )
    return type_


def _tier(request: PutParameterRequestTypeDef, before: ParameterVersion | None) -> ParameterTier:
    size = len(request["Value"])
    if not size:
        raise ValidationException(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member "
            "must have length greater than or equal to 1."
        )
    asked = request.get("Tier") or (before.tier if before else "Standard")
    if asked not in TIERS:
        raise ValidationException(
            f"1 validation error detected: Value '{asked[:64]}' at 'tier' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{', '.join(TIERS)}]"
        )
    if size > ADVANCED_CHARACTERS:
        raise ValidationException(
            "Advanced tier parameters support a maximum parameter value of "
            f"{ADVANCED_CHARACTERS} characters. {_GUIDE}"
        )
    if asked == "Standard":
        if before is not None and before.tier == "Advanced":
            raise ValidationException(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter "
                "from the advanced-parameter tier to the standard-parameter tier. If necessary, "
                "you can delete the advanced parameter and recreate it as a standard parameter."
            )
        if size > STANDARD_CHARACTERS:
            raise ValidationException(
                "Standard tier parameters support a maximum parameter value of "
                f"{STANDARD_CHARACTERS} characters. To create a larger parameter value, upgrade "
                f"the parameter to use the advanced-parameter tier. {_GUIDE}"
            )
        return "Standard"
    if asked == "Advanced" or size > STANDARD_CHARACTERS:
        return "Advanced"
    return before.tier if before else "Standard"


def _check_pattern(request: PutParameterRequestTypeDef) -> None:
    """RE2 syntax: its time is bounded whatever the pattern."""
    pattern = request.get("AllowedPattern")
    if not pattern:
        return
    options = re2.Options()
    options.log_errors = False  # it would write to stderr
    try:
        matches = re2.compile(pattern, options).search(request["Value"])
    except (re2.error, UnicodeEncodeError):
        raise InvalidAllowedPatternException(
            "The request does not meet the regular expression requirement: AllowedPattern."
        ) from None
    if cast(object, matches) is None:
        raise ParameterPatternMismatchException(
            f"Parameter value, cannot be validated against allowedPattern: {pattern}"
        )


def _make_room(call: Call, name: str) -> None:
    """The oldest of 100 versions goes, unless a label holds it."""
    kept = versions(call, name)
    if len(kept) < MAX_VERSIONS:
        return
    oldest = kept[0]
    if oldest.labels:
        raise ParameterMaxVersionLimitExceeded(
            f"You attempted to create a new version of {name} by calling the PutParameter API with "
            f"the overwrite flag. Version {oldest.version}, the oldest version, can't be deleted "
            "because it has a label associated with it. Move the label to another version of the "
            "parameter, and try again."
        )
    call.tx.delete(PARAMETER_VERSIONS, f"{name}|{oldest.version}")


OPERATIONS: dict[str, Handler] = {"PutParameter": put_parameter}
