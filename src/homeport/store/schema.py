"""Every table of Homeport: what is kept, under which key, found by what."""

from __future__ import annotations

from typing import Any

from homeport.domain.capacity_provider import CapacityProvider
from homeport.domain.cluster import AccountSetting, Cluster
from homeport.domain.container_instance import ContainerInstance
from homeport.domain.credential import AccessKey
from homeport.domain.event import Event, EventCounter
from homeport.domain.execute import ExecuteSession, ExecuteTarget
from homeport.domain.iam import (
    Group,
    InstanceProfile,
    ManagedPolicy,
    Role,
    User,
    name_key,
)
from homeport.domain.load_balancing import (
    Listener,
    LoadBalancer,
    Rule,
    Target,
    TargetGroup,
    TargetHealth,
)
from homeport.domain.logs import LogGroup, LogStream
from homeport.domain.network_interface import AddressCursor, NetworkInterface
from homeport.domain.object_storage import Bucket, StoredObject
from homeport.domain.parameter import Parameter, ParameterVersion
from homeport.domain.routing import ElasticAddress, InternetGateway, NatGateway, RouteTable
from homeport.domain.secret import Secret, SecretVersion
from homeport.domain.service import Service, ServiceEvent
from homeport.domain.service_deployment import ServiceDeployment, ServiceRevision
from homeport.domain.task import ClientToken, Task
from homeport.domain.task_definition import FamilyCounter, TaskDefinition
from homeport.domain.vpc import SecurityGroup, Subnet, Vpc
from homeport.domain.vpc_endpoint import VpcEndpoint

from .tables import Table

ACCESS_KEYS = Table(
    "access_keys",
    AccessKey,
    key=lambda r: r.access_key_id,
    indexes={"user": lambda r: r.user_id},
)
USERS = Table("users", User, key=lambda r: name_key(r.name), indexes={"id": lambda r: r.user_id})
GROUPS = Table("groups", Group, key=lambda r: name_key(r.name))
ROLES = Table("roles", Role, key=lambda r: name_key(r.name), indexes={"arn": lambda r: r.arn})
POLICIES = Table("policies", ManagedPolicy, key=lambda r: r.arn)
INSTANCE_PROFILES = Table("instance_profiles", InstanceProfile, key=lambda r: name_key(r.name))
CLUSTERS = Table("clusters", Cluster, key=lambda r: r.arn)
CAPACITY_PROVIDERS = Table("capacity_providers", CapacityProvider, key=lambda r: r.arn)
ACCOUNT_SETTINGS = Table(
    "account_settings", AccountSetting, key=lambda r: f"{r.principal_arn}|{r.name}"
)
TASK_DEFINITIONS = Table(
    "task_definitions",
    TaskDefinition,
    key=lambda r: r.arn,
    indexes={"family": lambda r: r.family},
)
FAMILY_COUNTERS = Table("family_counters", FamilyCounter, key=lambda r: r.family)
CONTAINER_INSTANCES = Table(
    "container_instances",
    ContainerInstance,
    key=lambda r: r.arn,
    indexes={
        "cluster": lambda r: r.cluster_arn,
        "ec2_instance_id": lambda r: r.ec2_instance_id,
        "platform_capacity": lambda r: "yes" if r.is_platform_capacity else None,
    },
)
TASKS = Table(
    "tasks",
    Task,
    key=lambda r: r.arn,
    indexes={
        "cluster": lambda r: r.cluster_arn,
        "service": lambda r: r.service_arn,
        "container_instance": lambda r: r.container_instance_arn,
        "task_definition": lambda r: r.task_definition_arn,
        "attachment": lambda r: r.interface.arn if r.interface else None,
    },
)
EXECUTE_TARGETS = Table("execute_targets", ExecuteTarget, key=lambda r: r.channel_id)
EXECUTE_SESSIONS = Table(
    "execute_sessions",
    ExecuteSession,
    key=lambda r: r.id,
    indexes={"channel": lambda r: r.channel_id, "task": lambda r: r.task_arn},
)
CLIENT_TOKENS = Table("client_tokens", ClientToken, key=lambda r: r.key)
SERVICES = Table(
    "services",
    Service,
    key=lambda r: r.arn,
    indexes={"cluster": lambda r: r.cluster_arn},
)
SERVICE_EVENTS = Table(
    "service_events",
    ServiceEvent,
    key=lambda r: f"{r.service_arn}|{r.sequence:012d}",
    indexes={"service": lambda r: r.service_arn},
)
EVENTS = Table("events", Event, key=lambda r: f"{r.sequence:020d}")
EVENT_COUNTERS = Table("event_counters", EventCounter, key=lambda r: r.name)
SERVICE_DEPLOYMENTS = Table(
    "service_deployments",
    ServiceDeployment,
    key=lambda r: r.arn,
    indexes={"service": lambda r: r.service_arn},
)
SERVICE_REVISIONS = Table("service_revisions", ServiceRevision, key=lambda r: r.arn)
LOAD_BALANCERS = Table(
    "load_balancers", LoadBalancer, key=lambda r: r.arn, indexes={"name": lambda r: r.name}
)
LISTENERS = Table(
    "listeners",
    Listener,
    key=lambda r: r.arn,
    indexes={"load_balancer": lambda r: r.load_balancer_arn, "port": lambda r: r.port},
)
RULES = Table("rules", Rule, key=lambda r: r.arn, indexes={"listener": lambda r: r.listener_arn})
TARGET_GROUPS = Table(
    "target_groups", TargetGroup, key=lambda r: r.arn, indexes={"name": lambda r: r.name}
)
TARGETS = Table(
    "targets", Target, key=lambda r: r.key, indexes={"target_group": lambda r: r.target_group_arn}
)
TARGET_HEALTH = Table(
    "target_health",
    TargetHealth,
    key=lambda r: r.key,
    indexes={"target_group": lambda r: r.target_group_arn},
)
VPCS = Table("vpcs", Vpc, key=lambda r: r.vpc_id)
SUBNETS = Table("subnets", Subnet, key=lambda r: r.subnet_id, indexes={"vpc": lambda r: r.vpc_id})
SECURITY_GROUPS = Table(
    "security_groups",
    SecurityGroup,
    key=lambda r: r.group_id,
    indexes={"vpc": lambda r: r.vpc_id},
)
INTERNET_GATEWAYS = Table(
    "internet_gateways",
    InternetGateway,
    key=lambda r: r.internet_gateway_id,
    indexes={"vpc": lambda r: r.vpc_id or None},
)
ROUTE_TABLES = Table(
    "route_tables", RouteTable, key=lambda r: r.route_table_id, indexes={"vpc": lambda r: r.vpc_id}
)
NAT_GATEWAYS = Table(
    "nat_gateways", NatGateway, key=lambda r: r.nat_gateway_id, indexes={"vpc": lambda r: r.vpc_id}
)
ELASTIC_ADDRESSES = Table(
    "elastic_addresses",
    ElasticAddress,
    key=lambda r: r.allocation_id,
    indexes={
        "public_ip": lambda r: r.public_ip,
        "network_interface": lambda r: r.network_interface_id or None,
    },
)
VPC_ENDPOINTS = Table(
    "vpc_endpoints", VpcEndpoint, key=lambda r: r.endpoint_id, indexes={"vpc": lambda r: r.vpc_id}
)
NETWORK_INTERFACES = Table(
    "network_interfaces",
    NetworkInterface,
    key=lambda r: r.network_interface_id,
    indexes={
        "subnet": lambda r: r.subnet_id,
        "vpc": lambda r: r.vpc_id,
        "task": lambda r: r.task_arn,
        "private_ip_address": lambda r: r.private_ip_address,
        "public_ip_address": lambda r: r.public_ip_address,
    },
)
ADDRESS_CURSORS = Table("address_cursors", AddressCursor, key=lambda r: r.pool)
LOG_GROUPS = Table("log_groups", LogGroup, key=lambda r: r.arn)
LOG_STREAMS = Table(
    "log_streams", LogStream, key=lambda r: r.arn, indexes={"group": lambda r: r.group_arn}
)

PARAMETERS = Table("parameters", Parameter, key=lambda r: r.name)
PARAMETER_VERSIONS = Table(
    "parameter_versions",
    ParameterVersion,
    key=lambda r: f"{r.name}|{r.version}",
    indexes={"parameter": lambda r: r.name},
)
SECRETS = Table("secrets", Secret, key=lambda r: r.arn, indexes={"name": lambda r: r.name})
SECRET_VERSIONS = Table(
    "secret_versions",
    SecretVersion,
    key=lambda r: f"{r.secret_arn}|{r.version_id}",
    indexes={"secret": lambda r: r.secret_arn},
)
BUCKETS = Table("buckets", Bucket, key=lambda r: r.name)
OBJECTS = Table(
    "objects",
    StoredObject,
    key=lambda r: f"{r.bucket}/{r.key}",
    indexes={"bucket": lambda r: r.bucket},
)

TABLES: tuple[Table[Any], ...] = (
    ACCESS_KEYS,
    USERS,
    GROUPS,
    ROLES,
    POLICIES,
    INSTANCE_PROFILES,
    CLUSTERS,
    CAPACITY_PROVIDERS,
    ACCOUNT_SETTINGS,
    TASK_DEFINITIONS,
    FAMILY_COUNTERS,
    CONTAINER_INSTANCES,
    TASKS,
    EXECUTE_TARGETS,
    EXECUTE_SESSIONS,
    CLIENT_TOKENS,
    SERVICES,
    SERVICE_EVENTS,
    EVENTS,
    EVENT_COUNTERS,
    SERVICE_DEPLOYMENTS,
    SERVICE_REVISIONS,
    LOAD_BALANCERS,
    LISTENERS,
    RULES,
    TARGET_GROUPS,
    TARGETS,
    TARGET_HEALTH,
    VPCS,
    SUBNETS,
    SECURITY_GROUPS,
    INTERNET_GATEWAYS,
    ROUTE_TABLES,
    NAT_GATEWAYS,
    ELASTIC_ADDRESSES,
    VPC_ENDPOINTS,
    NETWORK_INTERFACES,
    ADDRESS_CURSORS,
    LOG_GROUPS,
    LOG_STREAMS,
    PARAMETERS,
    PARAMETER_VERSIONS,
    SECRETS,
    SECRET_VERSIONS,
    BUCKETS,
    OBJECTS,
)
