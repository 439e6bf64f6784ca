"""Checksums of an object's content: those that a client sends are checked and given back."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from .errors import BadDigest, InvalidDigest, NotSupported

CRC32C = 0x82F63B78  # Castagnoli, reflected
CRC64_NVME = 0x9A6C9329AC4BC9B5  # reflected
# Python computes these byte by byte: about a tenth of a second a MiB, in which nothing else runs.
SLOW_BYTES = 1024 * 1024


def checked(request: Mapping[str, Any], content: bytes) -> dict[str, str]:
    """The checksums that were sent, all right. Raises BadDigest, InvalidDigest, NotSupported."""
    if md5 := request.get("ContentMD5"):
        _check_md5(md5, content)
    found: dict[str, str] = {}
    for name, given in request.items():
        if name.startswith("Checksum") and name != "ChecksumAlgorithm" and given:
            _check(name, given, content)
            found[name] = given
    return found


def _check_md5(given: str, content: bytes) -> None:
    try:
        wanted = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        wanted = b""
    if len(wanted) != hashlib.md5(usedforsecurity=False).digest_size:
        raise InvalidDigest("The Content-MD5 you specified is not valid.")
    if wanted != hashlib.md5(content, usedforsecurity=False).digest():
        raise BadDigest("The Content-MD5 you specified did not match what we received.")


def _check(name: str, given: str, content: bytes) -> None:
    algorithm = name.removeprefix("Checksum")
    compute = ALGORITHMS.get(name)
    if compute is None:
        raise NotSupported(f"Homeport does not check {algorithm} checksums: {name}.")
    if compute in SLOW and len(content) > SLOW_BYTES:
        raise NotSupported(
            f"Homeport checks {algorithm} of objects up to {SLOW_BYTES} bytes; use CRC32 or SHA256."
        )
    if base64.b64encode(compute(content)).decode() != given:
        raise BadDigest(
            f"The {algorithm} you specified did not match the calculated checksum: {name}."
        )


def crc32(content: bytes) -> bytes:
    """CRC-32, as zlib has it."""
    return zlib.crc32(content).to_bytes(4)


def crc32c(content: bytes) -> bytes:
    """CRC-32C."""
    return _crc(content, CRC32C, 32).to_bytes(4)


def crc64nvme(content: bytes) -> bytes:
    """CRC-64/NVME."""
    return _crc(content, CRC64_NVME, 64).to_bytes(8)


def sha1(content: bytes) -> bytes:
    """SHA-1."""
    return hashlib.sha1(content, usedforsecurity=False).digest()


def sha256(content: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(content).digest()


ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "ChecksumCRC32": crc32,
    "ChecksumCRC32C": crc32c,
    "ChecksumCRC64NVME": crc64nvme,
    "ChecksumSHA1": sha1,
    "ChecksumSHA256": sha256,
}
SLOW = (crc32c, crc64nvme)


def _crc(content: bytes, polynomial: int, bits: int) -> int:
    """A reflected CRC that begins and ends inverted."""
    table, mask = _table(polynomial), (1 << bits) - 1
    crc = mask
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ mask


@functools.cache
def _table(polynomial: int) -> tuple[int, ...]:
    return tuple(_entry(byte, polynomial) for byte in range(256))


def _entry(value: int, polynomial: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (polynomial if value & 1 else 0)
    return value
