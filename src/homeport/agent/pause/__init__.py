"""The pause image: the smallest process that keeps a task's namespaces open.

Its program is in this package (``pause.c``), so the image needs no registry.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from importlib.resources import files

REPOSITORY = "homeport-pause"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""The kernel's names of CPU architectures → Docker's."""


class NoPauseImage(Exception):
    """There is no pause program for this CPU architecture."""


def reference(machine: str) -> str:
    """The image's name; its tag is the program's digest. Raises NoPauseImage."""
    return f"{REPOSITORY}:{hashlib.sha256(_program(machine)).hexdigest()[:12]}"


def archive(machine: str) -> bytes:
    """The image as ``docker load`` takes it."""
    layer = _tar({"pause": (_program(machine), 0o755)})
    config = {
        "architecture": ARCHITECTURES[machine],
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Entrypoint": ["/pause"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "homeport"}],
    }
    manifest = [
        {"Config": "config.json", "RepoTags": [reference(machine)], "Layers": ["layer.tar"]}
    ]
    return _tar(
        {
            "config.json": (json.dumps(config).encode(), 0o644),
            "layer.tar": (layer, 0o644),
            "manifest.json": (json.dumps(manifest).encode(), 0o644),
        }
    )


def _program(machine: str) -> bytes:
    if machine not in ARCHITECTURES:
        raise NoPauseImage(f"there is no pause program for {machine} (see scripts/pause)")
    return (files(__package__) / f"pause-{machine}").read_bytes()


def _tar(members: dict[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, (content, mode) in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
