"""Errors as AWS shows them: a code, a message, an HTTP status.

One subclass per AWS error code, declared where it is raised; only the wire turns it into
bytes. ``ServiceError`` takes its code from the class name, so that
``class ClusterNotFoundException(ServiceError)`` is all that a service needs.
"""

from __future__ import annotations

from typing import ClassVar


class ApiError(Exception):
    """An answer that is an error. ``status`` ≥ 500 is the receiver's fault, else the sender's."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    @property
    def fault(self) -> str:
        """``Sender`` or ``Receiver``, as the XML protocols say it."""
        return "Receiver" if self.status >= 500 else "Sender"

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ServiceError(ApiError):
    """Base of the errors that services declare; ``code`` is the class name unless given."""

    code_name: ClassVar[str | None] = None
    http_status: ClassVar[int] = 400
    default_message: ClassVar[str] = ""

    def __init__(self, message: str | None = None) -> None:
        cls = type(self)
        text = cls.default_message if message is None else message
        super().__init__(cls.code_name or cls.__name__, text, cls.http_status)


class NotImplementedOperation(ApiError):
    """A modelled operation that is not built yet: a clear refusal, never a false success."""

    def __init__(self, service: str, operation: str) -> None:
        super().__init__(
            "NotImplementedException",
            f"Homeport does not implement {service}:{operation} yet.",
            501,
        )
