"""Where `opsbot setup` asks its questions and tells what it found."""

from __future__ import annotations

from typing import Protocol

import typer

from core.errors import OpsbotError


class Desk(Protocol):
    """Somebody who answers, or what stands in for them."""

    def ask(self, words: str, current: str, *, is_secret: bool) -> str:
        """The answer; the current value where it is to stay."""
        ...

    def tell(self, words: str) -> None:
        """Show what was found."""
        ...

    def refuse(self, error: OpsbotError) -> None:
        """The answer does not work. Returns where there may be another, else raises it."""
        ...


class Terminal:
    """Asks a person. Secrets are not shown, neither as they are typed nor as they stand."""

    def ask(self, words: str, current: str, *, is_secret: bool) -> str:
        """The answer; Enter alone keeps the current value."""
        if is_secret:
            words += " (hidden; Enter keeps the one that is set)" if current else " (hidden)"
            typed = typer.prompt(words, default="", hide_input=True, show_default=False)
        else:
            typed = typer.prompt(words, default=current, show_default=bool(current))
        return str(typed).strip() or current

    def tell(self, words: str) -> None:
        """Print it."""
        typer.echo(f"  {words}")

    def refuse(self, error: OpsbotError) -> None:
        """Print it; the question comes again."""
        typer.secho(f"  {error}", fg=typer.colors.RED)


class Unattended:
    """Takes what the flags, the environment and `.env` say; what does not work ends it."""

    def ask(self, words: str, current: str, *, is_secret: bool) -> str:  # noqa: ARG002  (Desk's)
        """The current value."""
        return current

    def tell(self, words: str) -> None:
        """Print it."""
        typer.echo(words)

    def refuse(self, error: OpsbotError) -> None:
        """Raise it."""
        raise error
