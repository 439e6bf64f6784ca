"""Amazon ECS: the operations that Homeport answers.

An operation of the model that is not listed here is refused as not implemented, by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.services.call import Handler

from . import (
    account_settings,
    agent_reports,
    attributes,
    capacity_providers,
    clusters,
    container_instances,
    execute_command,
    service_deployments,
    services,
    tags,
    task_definitions,
    task_protection,
    tasks,
)

OPERATIONS: Mapping[str, Handler] = {
    **clusters.OPERATIONS,
    **capacity_providers.OPERATIONS,
    **task_definitions.OPERATIONS,
    **tasks.OPERATIONS,
    **task_protection.OPERATIONS,
    **execute_command.OPERATIONS,
    **services.OPERATIONS,
    **service_deployments.OPERATIONS,
    **container_instances.OPERATIONS,
    **agent_reports.OPERATIONS,
    **attributes.OPERATIONS,
    **account_settings.OPERATIONS,
    **tags.OPERATIONS,
}
