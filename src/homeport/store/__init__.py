"""Transactional tables in memory, made durable by a journal.

Owns every record. Services, controllers, the agent link and traffic meet only here. One event
loop owns the store; a transaction is synchronous, so transactions are serializable by
construction. Invariant: what ``durable(revision)`` has returned for survives ``kill -9``.
"""

from .feed import Change, Feed
from .store import Store
from .tables import Table
from .transaction import Transaction

__all__ = ["Change", "Feed", "Store", "Table", "Transaction"]
