"""The `opsbot` command. Imports stand in the functions: `--help` answers within half a second."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.evals.cli import evals
from bot.exits import exit_with, finish

app = typer.Typer(
    name="opsbot",
    help="A Kubernetes ChatOps bot: answers from your runbooks and your cluster, and a digest of "
    "what changed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(evals, name="eval", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object, and nothing else.")]


@app.command()
def run() -> None:
    """Run the bot: Slack, the digest schedule, and the index kept up to date."""
    from bot.run import run_bot  # noqa: PLC0415

    finish(run_bot())


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the local Slack workspace.")] = 8765,
    data_dir: Annotated[Path, typer.Option(help="The demo's own data folder.")] = Path(
        ".opsbot-demo"
    ),
    local_llm: Annotated[
        bool,
        typer.Option("--local-llm", help="With a small real model (requirements-local-llm.txt)."),
    ] = False,
) -> None:
    """Try everything: a local Slack workspace, a recorded cluster, sample knowledge."""
    from bot.demo import run_demo  # noqa: PLC0415

    finish(run_demo(port, data_dir, has_local_llm=local_llm))


@app.command()
def ask(  # noqa: PLR0917  (Typer makes options of them, not positions)
    question: Annotated[str, typer.Argument(help="The question, in quotes.")],
    as_json: AsJson = False,
    model: Annotated[
        str | None, typer.Option(help="auto, extractive or provider:name.", metavar="MODEL")
    ] = None,
    temperature: Annotated[float | None, typer.Option(min=0, max=2)] = None,
    max_tokens: Annotated[int | None, typer.Option(min=16, help="Longest answer.")] = None,
    stop: Annotated[list[str] | None, typer.Option(help="Stop sequence; repeatable.")] = None,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Print it all at once.")] = False,
) -> None:
    """Answer one question, as `/k8s ask` does."""
    from bot.terminal import print_answer  # noqa: PLC0415
    from core.answers import GenerationOptions  # noqa: PLC0415

    options = GenerationOptions(
        model=model,
        temperature=temperature,
        max_tokens=max_tokens,
        stop=tuple(stop) if stop else None,
        stream=not no_stream,
    )
    finish(print_answer(question, options, as_json=as_json))


@app.command("k8s")
def k8s(
    words: Annotated[
        list[str],
        typer.Argument(
            help="As in Slack: errors 5 since 2h, limits payments, owner cart …", metavar="WORDS…"
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Run one of the tasks of `/k8s`: errors, limits, owner and so on."""
    from bot.terminal import print_task  # noqa: PLC0415
    from core.answers import GenerationOptions  # noqa: PLC0415

    finish(print_task(" ".join(words), GenerationOptions(), as_json=as_json))


@app.command()
def search(
    words: Annotated[
        list[str],
        typer.Argument(
            help="What to look for, and filters: source:, ns:, team:, after:, code:.",
            metavar="WORDS…",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Find pages and log lines, as `/k8s search` does; no model needed."""
    from bot.terminal import print_hits  # noqa: PLC0415

    finish(print_hits(" ".join(words), as_json=as_json))


@app.command()
def digest(
    window: Annotated[
        str | None, typer.Option(help="How far to look back, such as 6h; default: the last digest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the digest as it would be posted now; posts nothing."""
    from bot.terminal import print_digest  # noqa: PLC0415

    finish(print_digest(window, as_json=as_json))


@app.command()
def index(
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and index what changes, until Ctrl-C.")
    ] = False,
) -> None:
    """Bring the index of KNOWLEDGE_SOURCES up to date."""
    from bot.indexing import print_index, watch_index  # noqa: PLC0415

    finish(watch_index() if watch else print_index())


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check every part and say how to mend what is wrong."""
    from bot.terminal import print_health  # noqa: PLC0415

    finish(print_health(as_json=as_json))


@app.command()
def setup(
    mode: Annotated[str | None, typer.Option(help="socket or http.")] = None,
    channel: Annotated[str | None, typer.Option(help="Channel of the digest.")] = None,
    model: Annotated[str | None, typer.Option(help="As LLM_MODEL.", metavar="MODEL")] = None,
    contexts: Annotated[str | None, typer.Option(help="Clusters to read, with commas.")] = None,
    no_input: Annotated[
        bool,
        typer.Option("--no-input", help="Ask nothing: tokens come from the environment or .env."),
    ] = False,
) -> None:
    """Ask for tokens, channel, model and clusters, try each, and write .env."""
    from bot.setup.setup import run_setup  # noqa: PLC0415

    flags = {
        "slack_mode": mode,
        "digest_channel": channel,
        "llm_model": model,
        "kube_contexts": contexts,
    }
    exit_with(lambda: run_setup(flags, is_unattended=no_input))


def main() -> None:
    """Entry point of the `opsbot` command."""
    app()


if __name__ == "__main__":
    main()
