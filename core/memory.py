"""Memory that was freed goes back to the system: the C library would keep it for itself."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

_ARENA_MAX = -8  # glibc's M_ARENA_MAX


def keep_few_pools(pools: int = 2) -> None:
    """Let the threads share so many pools of memory, where the C library is glibc.

    By default each thread gets its own, and what is free in one is of no use to another. Call it
    before there are threads.
    """
    call = _libc("mallopt")
    if call is not None:
        call(_ARENA_MAX, pools)


def give_back() -> None:
    """Return what is free. Takes some milliseconds, for which other threads can run."""
    call = _libc("malloc_trim")
    if call is not None:
        call(0)


def _libc(name: str) -> Callable[..., int] | None:
    """A function of the C library; None on a system whose library has none such."""
    return getattr(ctypes.CDLL(None), name, None)
