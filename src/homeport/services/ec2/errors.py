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


class InvalidVpcRange(ServiceError):
    """The range is not one that a VPC may have."""

    code_name = "InvalidVpc.Range"

    def __init__(self, cidr: str) -> None:
        super().__init__(f"The CIDR '{cidr[:64]}' is invalid.")


class InvalidSubnetRange(ServiceError):
    """The range is not one that a subnet of this VPC may have."""

    code_name = "InvalidSubnet.Range"

    def __init__(self, cidr: str) -> None:
        super().__init__(f"The CIDR '{cidr[:64]}' is invalid.")


class InvalidSubnetConflict(ServiceError):
    """Another subnet has some of these addresses."""

    code_name = "InvalidSubnet.Conflict"

    def __init__(self, cidr: str) -> None:
        super().__init__(f"The CIDR '{cidr[:64]}' conflicts with another subnet")


class DefaultVpcAlreadyExists(ServiceError):
    """There is a default VPC."""

    default_message = "A Default VPC already exists for this account in this region."


class DefaultVpcDoesNotExist(ServiceError):
    """There is no default VPC."""

    default_message = "There is no default VPC for this account in this region."


class DefaultSubnetAlreadyExistsInAvailabilityZone(ServiceError):
    """The zone has a default subnet."""


class NoDefaultVpc(ServiceError):
    """A request that names no VPC needs the default one."""

    code_name = "VPCIdNotSpecified"
    default_message = "No default VPC for this user"


class InternetGatewayNotFound(ServiceError):
    """No such internet gateway."""

    code_name = "InvalidInternetGatewayID.NotFound"

    def __init__(self, gateway_id: str) -> None:
        super().__init__(f"The internetGateway ID '{gateway_id[:128]}' does not exist")


class GatewayNotAttached(ServiceError):
    """The gateway is not attached to this VPC, or to any."""

    code_name = "Gateway.NotAttached"


class AlreadyAssociated(ServiceError):
    """The resource is associated, and has one association at most."""

    code_name = "Resource.AlreadyAssociated"


class GatewayNotFound(ServiceError):
    """A route leads to a gateway that does not exist."""

    code_name = "InvalidGatewayID.NotFound"

    def __init__(self, gateway_id: str) -> None:
        super().__init__(f"The gateway ID '{gateway_id[:128]}' does not exist")


class RouteTableNotFound(ServiceError):
    """No such route table."""

    code_name = "InvalidRouteTableID.NotFound"

    def __init__(self, table_id: str) -> None:
        super().__init__(f"The routeTable ID '{table_id[:128]}' does not exist")


class AssociationNotFound(ServiceError):
    """No such association."""

    code_name = "InvalidAssociationID.NotFound"

    def __init__(self, association_id: str) -> None:
        super().__init__(f"The association ID '{association_id[:128]}' does not exist")


class RouteNotFound(ServiceError):
    """The table has no route with this destination."""

    code_name = "InvalidRoute.NotFound"


class RouteAlreadyExists(ServiceError):
    """The table has a route with this destination."""


class RouteLimitExceeded(ServiceError):
    """A table has too many routes."""

    default_message = "The maximum number of routes has been reached."


class NatGatewayNotFound(ServiceError):
    """No such NAT gateway."""

    def __init__(self, gateway_id: str) -> None:
        super().__init__(f"The Nat Gateway {gateway_id[:128]} was not found")


class RouteTargetNotFound(ServiceError):
    """A route leads to a NAT gateway that does not exist."""

    code_name = "InvalidNatGatewayID.NotFound"

    def __init__(self, gateway_id: str) -> None:
        super().__init__(f"The NAT gateway ID '{gateway_id[:128]}' does not exist")


class AllocationNotFound(ServiceError):
    """No such Elastic IP address."""

    code_name = "InvalidAllocationID.NotFound"

    def __init__(self, allocation_id: str) -> None:
        super().__init__(f"The allocation ID '{allocation_id[:128]}' does not exist")


class AddressNotFound(ServiceError):
    """The account does not hold this address."""

    code_name = "InvalidAddress.NotFound"

    def __init__(self, address: str) -> None:
        super().__init__(f"Address '{address[:64]}' not found.")


class AddressInUse(ServiceError):
    """An address that is associated can't be released."""

    code_name = "InvalidIPAddress.InUse"


class SecurityGroupsPerInterfaceLimitExceeded(ServiceError):
    """An interface has too many security groups."""

    default_message = "The maximum number of security groups per interface has been reached."


class AuthFailure(ServiceError):
    """The resource is somebody else's to change."""

    http_status = 403


class AddressLimitExceeded(ServiceError):
    """No more Elastic IP addresses."""

    default_message = "The maximum number of addresses has been reached."


class InsufficientFreeAddressesInSubnet(ServiceError):
    """The subnet has no address left."""


class VpcEndpointNotFound(ServiceError):
    """No such VPC endpoint."""

    code_name = "InvalidVpcEndpointId.NotFound"

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(f"The Vpc Endpoint Id '{endpoint_id[:128]}' does not exist")


class InvalidServiceName(ServiceError):
    """No service of this name has endpoints."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The Vpc Endpoint Service '{name[:128]}' does not exist")


class InvalidParameter(ServiceError):
    """A parameter of an endpoint is not valid."""


class DuplicateSubnetsInSameZone(ServiceError):
    """An endpoint has one subnet in each zone."""


class InvalidPolicyDocument(ServiceError):
    """An endpoint's policy is not a policy."""


class IdempotentParameterMismatch(ServiceError):
    """The client token was used with other parameters."""


class VpnGatewayNotFound(ServiceError):
    """No such VPN gateway: there are none."""

    code_name = "InvalidVpnGatewayID.NotFound"

    def __init__(self, gateway_id: str) -> None:
        super().__init__(f"The vpnGateway ID '{gateway_id[:128]}' does not exist")


class PeeringConnectionNotFound(ServiceError):
    """No such peering connection: there are none."""

    code_name = "InvalidVpcPeeringConnectionID.NotFound"

    def __init__(self, connection_id: str) -> None:
        super().__init__(f"The vpcPeeringConnection ID '{connection_id[:128]}' does not exist")


class DhcpOptionsNotFound(ServiceError):
    """No such DHCP options set."""

    code_name = "InvalidDhcpOptionID.NotFound"

    def __init__(self, options_id: str) -> None:
        super().__init__(f"The dhcpOption ID '{options_id[:128]}' does not exist")


class NetworkAclNotFound(ServiceError):
    """No such network ACL."""

    code_name = "InvalidNetworkAclID.NotFound"

    def __init__(self, acl_id: str) -> None:
        super().__init__(f"The networkAcl ID '{acl_id[:128]}' does not exist")


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
