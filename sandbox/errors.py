"""Errors of the sandbox, a tree shaped by who handles them.

The HTTP library's own exceptions never leave `cluster/`; everybody else catches these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SandboxError(Exception):
    """Anything the sandbox could not do. `str()` is one sentence with cause and next step."""


class SandboxNotReady(SandboxError):
    """It will be in a moment: show "starting..." and try again."""


class SandboxFull(SandboxError):
    """A limit of the sandbox is reached: say which one, and how to free some."""


class SandboxMismatch(SandboxError):
    """What lies in the cluster under our name is not what we recorded: touch nothing, tell the operator."""


class ClusterUnavailable(SandboxError):
    """No answer, or not an API server's (an error page, half a JSON). Retry; never blame the student."""


class ApiError(SandboxError):
    """The API server understood and refused. `message` is its sentence, `details` its `Status.details`."""

    def __init__(
        self, status: int, reason: str, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"The cluster answered {status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.details: Mapping[str, Any] = details or {}


class NotFound(ApiError):
    """404: the object (or its kind) does not exist."""


class Conflict(ApiError):
    """409: it exists already, or changed since it was read."""


class Forbidden(ApiError):
    """403: by RBAC, Pod Security, quota or an admission policy; `message` says which."""


class Unauthorized(ApiError):
    """401: the token or certificate is not (any longer) good."""


class Gone(ApiError):
    """410: the resourceVersion is too old; list again."""


class Invalid(ApiError):
    """400 or 422: the object is wrong; `details["causes"]` may name the fields."""


class PolicyNotInForce(SandboxError):
    """A guard rail was made and does not act (yet). No sandbox may be handed out."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
}


def api_error(status: int, body: Mapping[str, Any]) -> ApiError:
    """The right kind of ApiError for a `Status` object."""
    return _BY_STATUS.get(status, ApiError)(
        status, str(body.get("reason", "")), str(body.get("message", "")), body.get("details") or {}
    )
