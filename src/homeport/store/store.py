"""The store: tables, transactions, durability."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from .feed import Change, Feed
from .journal import Journal, Write
from .tables import Rows, Table
from .transaction import Transaction

Completer = Callable[[Sequence[Change], Transaction], None]


class Store:
    """Authoritative state in memory, owned by one event loop.

    Use::

        with store.transaction() as tx:
            tx.put(CLUSTERS, cluster)
        await store.durable(tx.revision)
    """

    def __init__(self, tables: Sequence[Table[Any]], journal: Journal) -> None:
        self.feed = Feed()
        self._tables = {table.name: table for table in tables}
        self._rows: dict[str, Rows[Any]] = {t.name: Rows(t) for t in tables}
        self._journal = journal
        self._revision = 0
        self._durable_revision = 0
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._open = False
        self._before_commit: Completer | None = None
        self._encoder = msgspec.json.Encoder()
        self._decoders = {t.name: msgspec.json.Decoder(t.record) for t in tables}

    def before_commit(self, complete: Completer) -> None:
        """Have every transaction completed: ``complete`` may add writes that follow from it."""
        self._before_commit = complete

    def load(self) -> None:
        """Read every record back from the journal.

        Raises ValueError for a table that this version lacks and for a record that does not
        decode, naming it.
        """
        for name, key, document in self._journal.load():
            if name not in self._decoders:
                raise ValueError(f"the journal holds a table {name!r} that this version lacks")
            try:
                record = self._decoders[name].decode(document)
            except msgspec.DecodeError as error:
                raise ValueError(f"record {key!r} of table {name!r}: {error}") from error
            self._rows[name].set(key, record)
        self._revision = self._durable_revision = self._journal.last_revision()

    def start(self) -> None:
        """Start making commits durable; call from the owning event loop."""
        loop = asyncio.get_running_loop()

        def on_durable(revision: int) -> None:
            loop.call_soon_threadsafe(self._became_durable, revision)

        self._journal.start(on_durable)

    async def close(self) -> None:
        """Wait for every commit to be durable, then close the journal."""
        await self.durable(self._revision)
        await asyncio.to_thread(self._journal.close)

    @property
    def revision(self) -> int:
        """The revision of the latest commit."""
        return self._revision

    @property
    def durable_revision(self) -> int:
        """Every commit up to this one is on disk."""
        return self._durable_revision

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction; no ``await`` inside. ``tx.revision`` is final after the block."""
        if self._open:
            raise RuntimeError("a transaction is already open: transactions do not nest")
        tx = Transaction(self._rows, self._revision)
        self._open = True
        try:
            yield tx
            self._complete(tx)
            # Inside the try: a record that the journal can't give back undoes the transaction.
            changes, writes = self._outcome(tx)
        except BaseException:
            tx.undo()
            raise
        finally:
            self._open = False
        if changes:
            self._commit(tx, changes, writes)

    async def durable(self, revision: int) -> None:
        """Return once every commit up to ``revision`` is on disk."""
        if revision <= self._durable_revision:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((revision, waiter))
        await waiter

    def _complete(self, tx: Transaction) -> None:
        """Let what is to happen before a commit add its writes."""
        if self._before_commit is None or not tx.before:
            return
        changes = [
            Change(self._tables[name], key, before, self._rows[name].by_key.get(key), tx.revision)
            for (name, key), before in tx.before.items()
        ]
        self._before_commit([c for c in changes if c.after != c.before], tx)

    def _outcome(self, tx: Transaction) -> tuple[list[Change], list[Write]]:
        """What the transaction has changed in the end; writing back an equal row is nothing."""
        changes: list[Change] = []
        writes: list[Write] = []
        revision = self._revision + 1
        for (name, key), before in tx.before.items():
            after = self._rows[name].by_key.get(key)
            if after is before or (after is not None and after == before):
                continue
            changes.append(Change(self._tables[name], key, before, after, revision))
            writes.append((name, key, None if after is None else self._document(name, after)))
        return changes, writes

    def _document(self, name: str, record: msgspec.Struct) -> bytes:
        """The record encoded, and seen to be readable: the next start would fail over it.

        A record is not checked when it is made: it may hold a NaN or a value of another type.
        """
        document = self._encoder.encode(record)
        self._decoders[name].decode(document)
        return document

    def _commit(self, tx: Transaction, changes: list[Change], writes: list[Write]) -> None:
        self._revision = tx.revision = self._revision + 1
        self._journal.append(tx.revision, writes)
        self.feed.publish(changes)

    def _became_durable(self, revision: int) -> None:
        self._durable_revision = max(self._durable_revision, revision)
        waiting = []
        for wanted, waiter in self._waiters:
            if wanted > self._durable_revision:
                waiting.append((wanted, waiter))
            elif not waiter.done():
                waiter.set_result(None)
        self._waiters = waiting
