"""The `opsbot` command. Imports stand in the functions: `--help` answers within half a second.

It is longer than others, because every command stands here with its options.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import OpsbotError

app = typer.Typer(
    name="opsbot",
    help="A Kubernetes ChatOps bot: answers from your runbooks and your cluster, and a digest of "
    "what changed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

evals = typer.Typer(help="Measure the bot on questions whose answers are known.")
app.add_typer(evals, name="eval", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object, and nothing else.")]


@app.command()
def run() -> None:
    """Run the bot: Slack, the digest schedule, and the index kept up to date."""
    from bot.run import run_bot  # noqa: PLC0415

    _finish(run_bot())


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

    _finish(run_demo(port, data_dir, has_local_llm=local_llm))


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
    _finish(print_answer(question, options, as_json=as_json))


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

    _finish(print_task(" ".join(words), GenerationOptions(), as_json=as_json))


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

    _finish(print_hits(" ".join(words), as_json=as_json))


@app.command()
def digest(
    window: Annotated[
        str | None, typer.Option(help="How far to look back, such as 6h; default: the last digest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the digest as it would be posted now; posts nothing."""
    from bot.terminal import print_digest  # noqa: PLC0415

    _finish(print_digest(window, as_json=as_json))


@app.command()
def index(
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and index what changes, until Ctrl-C.")
    ] = False,
) -> None:
    """Bring the index of KNOWLEDGE_SOURCES up to date."""
    from bot.indexing import print_index, watch_index  # noqa: PLC0415

    _finish(watch_index() if watch else print_index())


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check every part and say how to mend what is wrong."""
    from bot.terminal import print_health  # noqa: PLC0415

    _finish(print_health(as_json=as_json))


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
    from bot.setup import run_setup  # noqa: PLC0415

    flags = {
        "slack_mode": mode,
        "digest_channel": channel,
        "llm_model": model,
        "kube_contexts": contexts,
    }
    _exit(lambda: run_setup(flags, is_unattended=no_input))


@evals.command("retrieval")
def eval_retrieval(
    corpus: Annotated[Path, typer.Option(help="Folder of Markdown pages.", metavar="DIR")],
    questions: Annotated[Path, typer.Option(help="JSON lines with id and text.", metavar="FILE")],
    out: Annotated[Path, typer.Option(help="Where the ranked pages go.", metavar="RUN")],
    field: Annotated[str, typer.Option(help="The field that holds the text.")] = "query",
) -> None:
    """Rank the pages of a corpus for every question of a file."""
    from bot.evals import eval_retrieval as run_eval  # noqa: PLC0415

    _finish(run_eval(corpus, questions, out, field))


@evals.command("answers")
def eval_answers(
    corpus: Annotated[Path, typer.Option(help="Folder of Markdown pages.", metavar="DIR")],
    questions: Annotated[Path, typer.Option(help="JSON lines with id and text.", metavar="FILE")],
    out: Annotated[Path, typer.Option(help="Where the answers go.", metavar="RUN")],
    field: Annotated[
        str | None, typer.Option(help="The field that holds the text; default: question or query.")
    ] = None,
) -> None:
    """Answer every question of a file from a corpus, without a cluster, by LLM_MODEL."""
    from bot.evals_answers import eval_answers as run_eval  # noqa: PLC0415

    _finish(run_eval(corpus, questions, out, field))


@evals.command("classify")
def eval_classify(
    cases: Annotated[
        Path, typer.Option(help="JSON lines of labelled error texts.", metavar="FILE")
    ] = Path("evals/classify.jsonl"),
    split: Annotated[str, typer.Option(help="dev or test; default: both.")] = "",
) -> None:
    """Compare the classes of error texts with those that people gave them."""
    from bot.evals_classify import eval_classify as run_eval  # noqa: PLC0415

    _finish(run_eval(cases, split))


Questions = Annotated[Path, typer.Option(help="JSON lines as in evals/README.md.", metavar="FILE")]
Kind = Annotated[str, typer.Option(help="Only questions of this kind.")]
Id = Annotated[str, typer.Option("--id", help="Only questions whose id begins so.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Print all answers, not only wrong ones.")]


@evals.command("questions")
def eval_questions(
    questions: Questions,
    kind: Kind = "",
    id_: Id = "",
    verbose: Verbose = False,
) -> None:
    """Ask the bot as it is configured, and count right answers; for rows that `export` wrote."""
    from bot.evals_questions import Chosen  # noqa: PLC0415
    from bot.evals_questions import eval_questions as run_eval  # noqa: PLC0415

    _finish(run_eval(questions, Chosen(kind, id_, verbose)))


@evals.command("sample")
def eval_sample(
    questions: Questions = Path("evals/questions.jsonl"),
    kind: Kind = "",
    id_: Id = "",
    verbose: Verbose = False,
) -> None:
    """The same on the sample cluster and its sample knowledge, put up for it."""
    from bot.evals_questions import Chosen  # noqa: PLC0415
    from bot.evals_questions import eval_sample as run_eval  # noqa: PLC0415

    _finish(run_eval(questions, Chosen(kind, id_, verbose)))


@evals.command("all")
def eval_all(
    folder: Annotated[
        Path, typer.Option(help="Holds questions.jsonl, classify.jsonl.", metavar="DIR")
    ] = Path("evals"),
) -> None:
    """Every quality number that a clone can measure by itself, in one table."""
    from bot.evals_all import eval_all as run_eval  # noqa: PLC0415

    _finish(run_eval(folder))


@evals.command("export")
def eval_export(
    out: Annotated[Path, typer.Option(help="Where the rows go.", metavar="FILE")],
) -> None:
    """Write the answers that people voted on as questions for an eval."""
    from bot.evals_export import eval_export as run_export  # noqa: PLC0415

    _finish(run_export(out))


@evals.command("findings")
def eval_findings(
    cases: Annotated[Path, typer.Option(help="JSON lines of cluster states.", metavar="FILE")],
    out: Annotated[Path, typer.Option(help="Where the findings go.", metavar="RUN")],
) -> None:
    """Find what is wrong in every recorded cluster state of a file."""
    from bot.evals_findings import eval_findings as run_eval  # noqa: PLC0415

    _finish(run_eval(cases, out))


@evals.command("digest")
def eval_digest(
    cases: Annotated[Path, typer.Option(help="JSON lines of cluster states.", metavar="FILE")],
    out: Annotated[Path, typer.Option(help="Where all that is told goes.", metavar="RUN")],
) -> None:
    """Make three digests in a row of every recorded cluster state of a file."""
    from bot.evals_digest import eval_digest as run_eval  # noqa: PLC0415

    _finish(run_eval(cases, out))


@evals.command("templates")
def eval_templates(
    log: Annotated[Path, typer.Option("--input", help="A log of any format.", metavar="FILE")],
    out: Annotated[Path, typer.Option(help="Where line, template_id, template go.", metavar="CSV")],
) -> None:
    """Group the lines of a log file by what they say."""
    from bot.evals_templates import eval_templates as run_eval  # noqa: PLC0415

    _finish(run_eval(log, out))


def _finish(work: Coroutine[Any, Any, int | None]) -> None:
    """Run `work` in an event loop, and exit as `_exit` does."""
    _exit(lambda: asyncio.run(work))


def _exit(work: Callable[[], int | None]) -> None:
    """Do `work`; an error is a sentence on standard error and exit code 1, never a trace."""
    try:
        code = work()
    except OpsbotError as error:
        typer.secho(f"opsbot: {error}", fg=typer.colors.RED, err=True)
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code or 0)


def main() -> None:
    """Entry point of the `opsbot` command."""
    app()


if __name__ == "__main__":
    main()
