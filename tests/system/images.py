"""Images for tests, made locally: no registry is needed."""

from __future__ import annotations

import functools
import hashlib
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

REPOSITORY = "homeport-test-busybox"
DIRECTORIES = ("bin", "dev", "etc", "proc", "sys", "tmp", "www")
APPLETS = """
ash cat chmod cp date dd echo env false grep head hostname httpd id kill ln ls mkdir mv nc
nproc printf ps pwd rm sed seq sh sleep sort stat stty tail tee test touch tr true uname wc
wget yes
"""


@functools.cache
def busybox_image() -> str:
    """The reference of a small busybox image with ``httpd``; made on first use, about 2 MB.

    Its tag is the content's digest, so it is made once per machine and content.
    """
    archive = busybox_archive()
    reference = f"{REPOSITORY}:{hashlib.sha256(archive).hexdigest()[:12]}"
    if _docker("image", "inspect", reference).returncode != 0:
        made = _docker("import", "--change", 'CMD ["sh"]', "-", reference, stdin=archive)
        assert made.returncode == 0, made.stderr.decode()
    return reference


def busybox_archive() -> bytes:
    """Its root file system, for an Engine of its own."""
    return _root_file_system(_busybox())


def _busybox() -> Path:
    found = shutil.which("busybox", path="/bin:/usr/bin")
    assert found, "busybox is missing: apt-get install busybox-static"
    return Path(found)


def _root_file_system(busybox: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in DIRECTORIES:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        program = tarfile.TarInfo("bin/busybox")
        content = busybox.read_bytes()
        program.size, program.mode = len(content), 0o755
        archive.addfile(program, io.BytesIO(content))
        for applet in APPLETS.split():
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return buffer.getvalue()


def _docker(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["docker", *arguments], input=stdin, capture_output=True, timeout=120, check=False
    )
