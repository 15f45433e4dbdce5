"""How a command ends: an error is a sentence, never a trace."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import typer

from core.errors import OpsbotError


def finish(work: Coroutine[Any, Any, int | None]) -> None:
    """Run `work` in an event loop, and exit as `exit_with` does."""
    exit_with(lambda: asyncio.run(work))


def exit_with(work: Callable[[], int | None]) -> None:
    """Do `work`; an error is a sentence on standard error and exit code 1, never a trace."""
    try:
        code = work()
    except OpsbotError as error:
        typer.secho(f"opsbot: {error}", fg=typer.colors.RED, err=True)
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code or 0)
