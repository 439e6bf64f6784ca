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


class InvalidParameterCombination(ServiceError):
    """Two parameters do not go together."""


class FilterLimitExceeded(ServiceError):
    """Too many values in one filter."""


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


class NetworkInterfaceNotFound(ServiceError):
    """No such network interface."""

    code_name = "InvalidNetworkInterfaceID.NotFound"

    def __init__(self, interface_id: str) -> None:
        super().__init__(f"The networkInterface ID '{interface_id[:128]}' does not exist")


class InstanceNotFound(ServiceError):
    """No such instance."""

    code_name = "InvalidInstanceID.NotFound"

    def __init__(self, *instance_ids: str) -> None:
        if len(instance_ids) == 1:
            super().__init__(f"The instance ID '{instance_ids[0][:128]}' does not exist")
        else:
            names = ", ".join(instance_id[:128] for instance_id in instance_ids)
            super().__init__(f"The instance IDs '{names}' do not exist")


class InstanceIdMalformed(ServiceError):
    """Not an instance's id at all."""

    code_name = "InvalidInstanceID.Malformed"

    def __init__(self, instance_id: str) -> None:
        super().__init__(f'Invalid id: "{instance_id[:128]}"')


class GroupNotFound(ServiceError):
    """No such security group; looked for by name, it is said where."""

    code_name = "InvalidGroup.NotFound"

    def __init__(self, group: str, default_vpc_id: str = "") -> None:
        where = f" in default VPC '{default_vpc_id}'" if default_vpc_id else ""
        super().__init__(f"The security group '{group[:128]}' does not exist{where}")


class GroupIdMalformed(ServiceError):
    """Not a security group's id at all."""

    code_name = "InvalidGroupId.Malformed"

    def __init__(self, group_id: str) -> None:
        super().__init__(f'Invalid id: "{group_id[:128]}" (expecting "sg-...")')


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
    default_message = "The specified rule does not exist in this security group."


class RuleIdNotFound(ServiceError):
    """No rule of this id."""

    code_name = "InvalidSecurityGroupRuleId.NotFound"

    def __init__(self, rule_id: str) -> None:
        super().__init__(f"The security group rule ID '{rule_id[:128]}' does not exist")


class PrefixListNotFound(ServiceError):
    """No such prefix list: Homeport has none."""

    code_name = "InvalidPrefixListID.NotFound"

    def __init__(self, prefix_list_id: str) -> None:
        super().__init__(f"The prefix list ID '{prefix_list_id[:128]}' does not exist")


class RulesPerSecurityGroupLimitExceeded(ServiceError):
    """A security group has too many rules."""

    default_message = "The maximum number of rules per security group has been reached."


class TagLimitExceeded(ServiceError):
    """A resource has too many tags."""

    default_message = "The maximum number of Tags for a resource has been reached."


class ResourceIdNotFound(ServiceError):
    """No resource of this id can have tags."""

    code_name = "InvalidID"

    def __init__(self, resource_id: str) -> None:
        super().__init__(f"The ID '{resource_id[:128]}' is not valid")
