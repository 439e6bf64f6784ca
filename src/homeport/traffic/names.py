"""The load balancers' names in the hosts file, in one marked block that Homeport owns.

Names under ``.localhost`` reach the loopback for curl and browsers as they are; the hosts file
makes them known to every program, where the process may write it. The file is changed in
place, because in containers it is a bind mount that can't be replaced.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path

logger = logging.getLogger(__name__)


class HostsFile:
    """One control plane's block in a hosts file (others' blocks and lines stay untouched)."""

    def __init__(self, path: Path | None, data_dir: Path) -> None:
        self._path = path if path is not None and os.access(path, os.W_OK) else None
        self._begin = f"# BEGIN homeport {data_dir.resolve()}"
        self._end = f"# END homeport {data_dir.resolve()}"

    def write(self, address: str, names: Iterable[str]) -> None:
        """Make the block say exactly these names; no names, no block."""
        lines = [f"{address} {name}" for name in sorted(set(names))]
        block = "\n".join([self._begin, *lines, self._end]) + "\n" if lines else ""
        if self._path is None:
            return
        try:
            with open(self._path, "r+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                before = file.read()
                after = self._replaced(before, block)
                if after != before:
                    file.seek(0)
                    file.write(after)
                    file.truncate()
        except OSError as error:
            logger.warning("%s can't be changed: %s", self._path, error)
            self._path = None

    def remove(self) -> None:
        """Take the block out."""
        self.write("", ())

    def _replaced(self, text: str, block: str) -> str:
        begin, end = re.escape(self._begin), re.escape(self._end)
        without = re.sub(rf"^{begin}\n(?:.*\n)*?{end}\n", "", text, flags=re.MULTILINE)
        separator = "\n" if block and without and not without.endswith("\n") else ""
        return without + separator + block
