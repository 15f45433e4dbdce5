"""The commands of `opsbot eval`. Imports stand in the functions, as in `bot.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.exits import finish

evals = typer.Typer(help="Measure the bot on questions whose answers are known.")


@evals.command("retrieval")
def eval_retrieval(
    corpus: Annotated[Path, typer.Option(help="Folder of Markdown pages.", metavar="DIR")],
    questions: Annotated[Path, typer.Option(help="JSON lines with id and text.", metavar="FILE")],
    out: Annotated[Path, typer.Option(help="Where the ranked pages go.", metavar="RUN")],
    field: Annotated[str, typer.Option(help="The field that holds the text.")] = "query",
) -> None:
    """Rank the pages of a corpus for every question of a file."""
    from bot.evals.retrieval import eval_retrieval as run_eval  # noqa: PLC0415

    finish(run_eval(corpus, questions, out, field))


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
    from bot.evals.answers import eval_answers as run_eval  # noqa: PLC0415

    finish(run_eval(corpus, questions, out, field))


@evals.command("classify")
def eval_classify(
    cases: Annotated[
        Path, typer.Option(help="JSON lines of labelled error texts.", metavar="FILE")
    ] = Path("evals/classify.jsonl"),
    split: Annotated[str, typer.Option(help="dev or test; default: both.")] = "",
) -> None:
    """Compare the classes of error texts with those that people gave them."""
    from bot.evals.classify import eval_classify as run_eval  # noqa: PLC0415

    finish(run_eval(cases, split))


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
    from bot.evals.questions import Chosen  # noqa: PLC0415
    from bot.evals.questions import eval_questions as run_eval  # noqa: PLC0415

    finish(run_eval(questions, Chosen(kind, id_, verbose)))


@evals.command("sample")
def eval_sample(
    questions: Questions = Path("evals/questions.jsonl"),
    kind: Kind = "",
    id_: Id = "",
    verbose: Verbose = False,
) -> None:
    """The same on the sample cluster and its sample knowledge, put up for it."""
    from bot.evals.questions import Chosen  # noqa: PLC0415
    from bot.evals.questions import eval_sample as run_eval  # noqa: PLC0415

    finish(run_eval(questions, Chosen(kind, id_, verbose)))


@evals.command("all")
def eval_all(
    folder: Annotated[
        Path, typer.Option(help="Holds questions.jsonl, classify.jsonl.", metavar="DIR")
    ] = Path("evals"),
) -> None:
    """Every quality number that a clone can measure by itself, in one table."""
    from bot.evals.all import eval_all as run_eval  # noqa: PLC0415

    finish(run_eval(folder))


@evals.command("export")
def eval_export(
    out: Annotated[Path, typer.Option(help="Where the rows go.", metavar="FILE")],
) -> None:
    """Write the answers that people voted on as questions for an eval."""
    from bot.evals.export import eval_export as run_export  # noqa: PLC0415

    finish(run_export(out))


@evals.command("findings")
def eval_findings(
    cases: Annotated[Path, typer.Option(help="JSON lines of cluster states.", metavar="FILE")],
    out: Annotated[Path, typer.Option(help="Where the findings go.", metavar="RUN")],
) -> None:
    """Find what is wrong in every recorded cluster state of a file."""
    from bot.evals.findings import eval_findings as run_eval  # noqa: PLC0415

    finish(run_eval(cases, out))


@evals.command("digest")
def eval_digest(
    cases: Annotated[Path, typer.Option(help="JSON lines of cluster states.", metavar="FILE")],
    out: Annotated[Path, typer.Option(help="Where all that is told goes.", metavar="RUN")],
) -> None:
    """Make three digests in a row of every recorded cluster state of a file."""
    from bot.evals.digest import eval_digest as run_eval  # noqa: PLC0415

    finish(run_eval(cases, out))


@evals.command("templates")
def eval_templates(
    log: Annotated[Path, typer.Option("--input", help="A log of any format.", metavar="FILE")],
    out: Annotated[Path, typer.Option(help="Where line, template_id, template go.", metavar="CSV")],
) -> None:
    """Group the lines of a log file by what they say."""
    from bot.evals.templates import eval_templates as run_eval  # noqa: PLC0415

    finish(run_eval(log, out))
