"""Two versions of a small web image, built without a registry from a static busybox."""

from __future__ import annotations

import asyncio
import io
import shutil
import tarfile
from pathlib import Path

import aiodocker

from .waiting import DemoFailed

REPOSITORY = "homeport-demo"
BUILD_SECONDS = 60.0
APPLETS = ("hostname", "httpd", "pidof", "sh", "sleep")
DIRECTORIES = ("bin", "dev", "etc", "proc", "sys", "tmp", "www", "www/cgi-bin")
# The page goes out in one write. httpd sends a file's headers before its content: a container
# killed between the two leaves a begun answer, and no load balancer can repeat that one.
PAGE = r"""#!/bin/sh
page="$(hostname) answers with {version}"
size=$((${{#page}} + 1))
head='HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: '
printf "$head%d\r\n\r\n%s\n" $size "$page"
"""
# SIGTERM ends the listener; its children, one per request, finish what they have begun.
SERVE = """#!/bin/sh
httpd -f -p 80 -h /www &
finish() {
  kill $!
  while pidof httpd > /dev/null; do sleep 0.05; done
  exit 0
}
trap finish TERM
wait
"""
BUILD_FILE = """FROM scratch
ADD root.tar /
LABEL io.homeport.demo=true
CMD ["/bin/sh", "/serve"]
"""


async def build(docker: aiodocker.Docker, version: str, suffix: str) -> str:
    """The reference of the image for ``version``; about 2 MB. ``suffix``: this demo's own."""
    reference = f"{REPOSITORY}:{version}-{suffix}"
    context = _tar({"Dockerfile": BUILD_FILE.encode(), "root.tar": _root(version)})
    try:
        async with asyncio.timeout(BUILD_SECONDS):
            answers = await docker.images.build(
                fileobj=io.BytesIO(context), tag=reference, encoding="identity", rm=True
            )
    except TimeoutError as error:
        raise DemoFailed(
            f"The Docker Engine did not build {reference} within {BUILD_SECONDS:.0f} s; "
            "its own log says why."
        ) from error
    problem = next((a["error"] for a in answers if "error" in a), None)
    if problem:
        raise DemoFailed(f"The Docker Engine could not build {reference}: {problem}")
    return reference


def _busybox() -> bytes:
    found = shutil.which("busybox", path="/bin:/usr/bin")
    if found is None:
        raise DemoFailed(
            "The demo's image is made of busybox, and it is missing: apt-get install busybox-static"
        )
    return Path(found).read_bytes()


def _root(version: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in DIRECTORIES:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        _add(archive, "bin/busybox", _busybox(), 0o755)
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        _add(archive, "serve", SERVE.encode(), 0o755)
        _add(archive, "www/cgi-bin/index.cgi", PAGE.format(version=version).encode(), 0o755)
    return buffer.getvalue()


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            _add(archive, name, content, 0o644)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
