"""The tags of a resource by its ARN, for ``aws:ResourceTag`` and the services' own such keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeport.domain.iam import name_key
from homeport.store import Table, Transaction
from homeport.store.schema import (
    CLUSTERS,
    CONTAINER_INSTANCES,
    ELASTIC_ADDRESSES,
    INTERNET_GATEWAYS,
    LISTENERS,
    LOAD_BALANCERS,
    LOG_GROUPS,
    NAT_GATEWAYS,
    NETWORK_INTERFACES,
    PARAMETERS,
    POLICIES,
    ROLES,
    ROUTE_TABLES,
    RULES,
    SECRETS,
    SECURITY_GROUPS,
    SERVICES,
    SUBNETS,
    TARGET_GROUPS,
    TASK_DEFINITIONS,
    TASKS,
    USERS,
    VPC_ENDPOINTS,
    VPCS,
)

# (service, resource type) → the table, keyed by ARN. Any: tables of records with tags.
_BY_ARN: Mapping[tuple[str, str], Table[Any]] = {
    ("ecs", "cluster"): CLUSTERS,
    ("ecs", "service"): SERVICES,
    ("ecs", "task"): TASKS,
    ("ecs", "task-definition"): TASK_DEFINITIONS,
    ("ecs", "container-instance"): CONTAINER_INSTANCES,
    ("elasticloadbalancing", "loadbalancer"): LOAD_BALANCERS,
    ("elasticloadbalancing", "targetgroup"): TARGET_GROUPS,
    ("elasticloadbalancing", "listener"): LISTENERS,
    ("elasticloadbalancing", "listener-rule"): RULES,
    ("iam", "policy"): POLICIES,
    ("secretsmanager", "secret"): SECRETS,
}

# The same, keyed by the last part of the ARN.
_BY_ID: Mapping[tuple[str, str], Table[Any]] = {
    ("ec2", "vpc"): VPCS,
    ("ec2", "subnet"): SUBNETS,
    ("ec2", "security-group"): SECURITY_GROUPS,
    ("ec2", "route-table"): ROUTE_TABLES,
    ("ec2", "internet-gateway"): INTERNET_GATEWAYS,
    ("ec2", "natgateway"): NAT_GATEWAYS,
    ("ec2", "elastic-ip"): ELASTIC_ADDRESSES,
    ("ec2", "network-interface"): NETWORK_INTERFACES,
    ("ec2", "vpc-endpoint"): VPC_ENDPOINTS,
}


def tags_of(tx: Transaction, arn: str) -> dict[str, str]:
    """Key → value; empty for what is not there, or has no tags."""
    record = _record(tx, arn)
    return {tag.key: tag.value for tag in record.tags} if record is not None else {}


def _record(tx: Transaction, arn: str) -> Any:
    parts = arn.split(":", 5)
    if len(parts) != 6:
        return None
    service, resource = parts[2], parts[5]
    kind, _, rest = resource.replace(":", "/", 1).partition("/")
    last = rest.rsplit("/", 1)[-1]
    if (service, kind) in _BY_ARN:
        return tx.get(_BY_ARN[service, kind], arn)
    if (service, kind) in _BY_ID:
        return tx.get(_BY_ID[service, kind], last)
    match service, kind:
        case "iam", "user":
            return tx.get(USERS, name_key(last))
        case "iam", "role":
            return tx.get(ROLES, name_key(last))
        case "ssm", "parameter":
            return tx.get(PARAMETERS, rest) or tx.get(PARAMETERS, f"/{rest}")
        case "logs", "log-group":
            return tx.get(LOG_GROUPS, arn.partition(":log-stream:")[0])
        case _:
            return None
