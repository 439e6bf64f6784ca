"""Every operation that changes or reads something by name says of which resource it needs leave."""

from __future__ import annotations

import pytest

from homeport import services
from homeport.gateway.app import AGENT_PATHS
from homeport.gateway.permissions import RULES
from homeport.wire import model

# Operations about nothing but the caller.
FREE = {"sts": {"GetCallerIdentity", "GetSessionToken", "GetAccessKeyInfo"}}
# EC2's rules follow from the members' names (``permissions/ec2.py``).
SERVICES = sorted(set(services.OPERATIONS) - {"ec2"})


@pytest.mark.parametrize("service", SERVICES)
def test_an_operation_has_a_row_in_its_services_table(service: str) -> None:
    served = {
        name
        for name in services.OPERATIONS[service]
        if not name.startswith(("Describe", "List", "GetServiceLinkedRole"))
    }
    missing = served - RULES.get(service, {}).keys() - FREE.get(service, set())
    assert not missing, f"src/homeport/gateway/permissions/{service}.py: {sorted(missing)}"


@pytest.mark.parametrize("service", sorted(RULES))
def test_a_row_is_of_an_operation_that_there_is(service: str) -> None:
    connections = {operation for _, operation in AGENT_PATHS.values()}  # in no model of AWS's
    assert RULES[service].keys() <= model.load(service).operation_names | connections
