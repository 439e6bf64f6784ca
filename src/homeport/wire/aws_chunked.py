"""Bodies of ``Content-Encoding: aws-chunked``: chunks, their signatures, trailing headers.

Source: "Signature calculations for the authorization header: transferring payload in multiple
chunks", and the same with trailing headers, S3 API reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import ApiError

MAX_CHUNKS = 65_536
MAX_TRAILERS = 16
_LINE = b"\r\n"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk; ``signature`` is empty when chunks are not signed."""

    data: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class Chunked:
    """A body taken apart. The last chunk is the empty one."""

    chunks: tuple[Chunk, ...]
    trailers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """What was sent in the chunks."""
        return b"".join(chunk.data for chunk in self.chunks)


def is_streaming(content_sha256: str | None) -> bool:
    """Whether ``x-amz-content-sha256`` says that the body is of this form."""
    return content_sha256 is not None and content_sha256.startswith("STREAMING-")


def read(body: bytes) -> Chunked:
    """Take a body apart. Raises ApiError for one that is cut off or malformed."""
    chunks: list[Chunk] = []
    position = 0
    while len(chunks) < MAX_CHUNKS:
        line, position = _line(body, position)
        size_text, _, extension = line.partition(b";")
        size = _size(size_text)
        end = position + size
        if end > len(body):
            raise _incomplete()
        chunks.append(Chunk(body[position:end], _signature(extension)))
        if size == 0:
            return Chunked(tuple(chunks), _trailers(body, position))
        if body[end : end + 2] != _LINE:
            raise _incomplete()
        position = end + 2
    raise ApiError("InvalidRequest", f"The body has more than {MAX_CHUNKS} chunks.")


def _line(body: bytes, position: int) -> tuple[bytes, int]:
    end = body.find(_LINE, position, position + 8192)
    if end < 0:
        raise _incomplete()
    return body[position:end], end + 2


def _size(text: bytes) -> int:
    try:
        size = int(text.decode("ascii"), 16) if text.isalnum() else -1
    except ValueError:
        size = -1
    if size < 0:
        raise ApiError("InvalidRequest", "A chunk of the body has no valid size.")
    return size


def _signature(extension: bytes) -> str:
    name, _, value = extension.partition(b"=")
    return value.decode("ascii", "replace") if name.strip() == b"chunk-signature" else ""


def _trailers(body: bytes, position: int) -> dict[str, str]:
    trailers: dict[str, str] = {}
    for line in body[position:].replace(b"\r\n", b"\n").split(b"\n"):
        if not line:
            continue
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or len(trailers) == MAX_TRAILERS:
            raise ApiError(
                "MalformedTrailerError",
                "The request contained trailing data that was "
                "not well-formed or did not conform to our published schema.",
            )
        trailers[name.strip().lower()] = value.strip()
    return trailers


def _incomplete() -> ApiError:
    return ApiError(
        "IncompleteBody",
        "The request body terminated unexpectedly: a chunk is cut off.",
    )
