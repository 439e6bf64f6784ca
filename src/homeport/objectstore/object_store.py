"""Files named by random identifiers."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_PARTIAL = ".partial"


class ObjectStore:
    """Contents by identifier; what they mean is in the records."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, blob: str, content: bytes) -> None:
        """Keep the content; durable on return. Raises OSError."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._directory / blob
        partial = path.with_suffix(_PARTIAL)
        descriptor = os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        self._sync_directory()

    def read(self, blob: str) -> bytes:
        """The content. Raises OSError."""
        return (self._directory / blob).read_bytes()

    def blobs(self) -> set[str]:
        """Everything that is kept, what a killed process left unfinished included."""
        if not self._directory.is_dir():
            return set()
        return {path.name for path in self._directory.iterdir()}

    def delete(self, blobs: Iterable[str]) -> None:
        """Remove these; ones that are gone are fine."""
        for blob in blobs:
            (self._directory / blob).unlink(missing_ok=True)

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
