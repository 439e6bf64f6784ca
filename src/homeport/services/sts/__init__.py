"""AWS STS: who am I, and temporary credentials.

A session needs no record: its token says what it stands for (``domain.session``). Who may assume
which role is decided in the authorization step, before an operation of this folder is called.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.services.call import Handler

from . import assume_role, caller, session_tokens

OPERATIONS: Mapping[str, Handler] = {
    **caller.OPERATIONS,
    **assume_role.OPERATIONS,
    **session_tokens.OPERATIONS,
}
