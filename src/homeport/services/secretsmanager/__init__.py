"""Secrets Manager: secrets, their versions and staging labels; no rotation, no replicas.

Called by the gateway. Owns the records of secrets and their versions: a version never outlives
its secret, and a staging label is on one version at most. Values are sealed in the records; they
are opened for an answer and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.services.call import Handler

from . import batch, deletion, listing, passwords, reading, secrets, stages, tags

OPERATIONS: Mapping[str, Handler] = {
    **secrets.OPERATIONS,
    **reading.OPERATIONS,
    **batch.OPERATIONS,
    **stages.OPERATIONS,
    **listing.OPERATIONS,
    **deletion.OPERATIONS,
    **tags.OPERATIONS,
    **passwords.OPERATIONS,
}
