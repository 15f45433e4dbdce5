"""The API's Status objects: how it says no."""

from __future__ import annotations

from sandbox.cluster.resources import Obj

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
}


class RefusedError(Exception):
    """A request that the API answers with a Status instead of what was asked."""

    def __init__(self, code: int, message: str, details: Obj | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status(code, message, details)


def status(code: int, message: str, details: Obj | None = None) -> Obj:
    """A Status object of a failure."""
    made: Obj = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS[code],
        "code": code,
    }
    if details:
        made["details"] = details
    return made
