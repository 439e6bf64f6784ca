"""Tokens of agents: answer of CreateControlChannel and CreateDataChannel, first frame of theirs.

The client's token is the session's own (``domain.execute``).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from homeport.domain.arn import Ids
from homeport.domain.execute import TOKEN_SECONDS, token_digest

MAX_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class _Issued:
    channel: str
    digest: str
    expires_at: float


class AgentTokens:
    """Issued, redeemed once, forgotten. Only digests are kept."""

    def __init__(self, ids: Ids, clock: Callable[[], float]) -> None:
        self._ids = ids
        self._clock = clock
        self._issued: list[_Issued] = []

    def issue(self, channel: str) -> str:
        """A token for one connection to ``channel``."""
        now = self._clock()
        self._issued = [t for t in self._issued if now < t.expires_at][-MAX_TOKENS:]
        token = self._ids.token()
        self._issued.append(_Issued(channel, token_digest(token), now + TOKEN_SECONDS))
        return token

    def redeem(self, channel: str, token: str) -> bool:
        """Whether ``token`` opens ``channel``; from now on it opens nothing."""
        now, digest = self._clock(), token_digest(token)
        for issued in self._issued:
            if hmac.compare_digest(issued.digest, digest):
                self._issued.remove(issued)
                return issued.channel == channel and now < issued.expires_at
        return False
