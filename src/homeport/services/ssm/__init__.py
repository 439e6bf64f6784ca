"""Systems Manager: Parameter Store, and the sessions of ECS Exec (records of ``domain.execute``).

Called by the gateway. Owns the records of parameters and their versions: a version never outlives
its parameter, and the newest one's number is the parameter's. Values are sealed in the records;
they are opened for an answer and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.services.call import Handler

from . import deletion, describe, labels, put, reading, sessions, tags

OPERATIONS: Mapping[str, Handler] = {
    **put.OPERATIONS,
    **reading.OPERATIONS,
    **describe.OPERATIONS,
    **deletion.OPERATIONS,
    **labels.OPERATIONS,
    **tags.OPERATIONS,
    **sessions.OPERATIONS,
}
