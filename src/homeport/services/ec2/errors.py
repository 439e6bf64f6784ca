"""The error codes of EC2. EC2 puts dots in them, so each class says its own."""

from __future__ import annotations

from homeport.wire.errors import ServiceError


class InvalidParameterValue(ServiceError):
    """A parameter is not valid."""


class MissingParameter(ServiceError):
    """A parameter is missing."""


class DryRunOperation(ServiceError):
    """The request would have been carried out."""

    http_status = 412
    default_message = "Request would have succeeded, but DryRun flag is set."


class VpcNotFound(ServiceError):
    """No such VPC."""

    code_name = "InvalidVpcID.NotFound"

    def __init__(self, vpc_id: str) -> None:
        super().__init__(f"The vpc ID '{vpc_id[:128]}' does not exist")


class SubnetNotFound(ServiceError):
    """No such subnet."""

    code_name = "InvalidSubnetID.NotFound"

    def __init__(self, subnet_id: str) -> None:
        super().__init__(f"The subnet ID '{subnet_id[:128]}' does not exist")


class GroupNotFound(ServiceError):
    """No such security group."""

    code_name = "InvalidGroup.NotFound"

    def __init__(self, group: str) -> None:
        super().__init__(f"The security group '{group[:128]}' does not exist")


class DuplicateGroup(ServiceError):
    """A security group of this name exists in the VPC."""

    code_name = "InvalidGroup.Duplicate"


class CannotDelete(ServiceError):
    """The default security group stays."""


class DependencyViolation(ServiceError):
    """Something still uses the resource."""


class DuplicatePermission(ServiceError):
    """The rule exists."""

    code_name = "InvalidPermission.Duplicate"


class PermissionNotFound(ServiceError):
    """The rule does not exist."""

    code_name = "InvalidPermission.NotFound"


class ResourceIdNotFound(ServiceError):
    """No resource of this id can have tags."""

    code_name = "InvalidID"

    def __init__(self, resource_id: str) -> None:
        super().__init__(f"The ID '{resource_id[:128]}' is not valid")
