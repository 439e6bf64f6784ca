"""A registry with one image behind a user name and a password, in this process.

Enough of the distribution protocol for a pull: the challenge, a manifest, two blobs. Docker talks
plain HTTP to registries of the loopback.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from images import busybox_archive

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _image() -> tuple[bytes, dict[str, bytes]]:
    """The manifest and its blobs by digest."""
    archive = busybox_archive()
    layer = gzip.compress(archive, mtime=0)
    config = json.dumps(
        {
            "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Cmd": ["sh"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(archive)]},
        }
    ).encode()
    blobs = {_digest(config): config, _digest(layer): layer}
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "size": len(config), "digest": _digest(config)},
        "layers": [{"mediaType": LAYER, "size": len(layer), "digest": _digest(layer)}],
    }
    return json.dumps(manifest).encode(), blobs


@contextmanager
def private_registry(username: str, password: str, image: str) -> Iterator[str]:
    """Serves ``image:latest``; gives the reference to pull it with."""
    manifest, blobs = _image()
    wanted = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != wanted:
                self._answer(401, b"{}", "application/json")
            elif "/manifests/" in self.path:
                self._answer(200, manifest, MANIFEST)
            elif (digest := self.path.rpartition("/")[2]) in blobs:
                self._answer(200, blobs[digest], "application/octet-stream")
            else:
                self._answer(200 if self.path == "/v2/" else 404, b"{}", "application/json")

        do_HEAD = do_GET

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="private"')
            if "/manifests/" in self.path:
                self.send_header("Docker-Content-Digest", _digest(body))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}/{image}:latest"
    finally:
        server.shutdown()
        server.server_close()
