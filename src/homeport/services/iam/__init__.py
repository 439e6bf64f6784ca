"""AWS IAM: users, groups, roles and their policies. The account's, so the same in every region.

Called by the gateway. Writes the records that the authorization step reads (``identities``); a
change is in force with the next request.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.services.call import Handler

from . import (
    access_keys,
    account,
    attachments,
    groups,
    inline_policies,
    instance_profiles,
    managed_policies,
    roles,
    service_linked_roles,
    simulation,
    tags,
    users,
)

OPERATIONS: Mapping[str, Handler] = {
    **users.OPERATIONS,
    **access_keys.OPERATIONS,
    **groups.OPERATIONS,
    **roles.OPERATIONS,
    **service_linked_roles.OPERATIONS,
    **inline_policies.OPERATIONS,
    **attachments.OPERATIONS,
    **managed_policies.OPERATIONS,
    **instance_profiles.OPERATIONS,
    **tags.OPERATIONS,
    **account.OPERATIONS,
    **simulation.OPERATIONS,
}
