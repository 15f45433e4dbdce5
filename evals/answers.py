"""`python -m evals.answers`: the real chain, without a model, on the questions of this folder.

The sandbox's recorded cluster and its sample knowledge are put up in a temporary folder, the index
is built with dense vectors, every question is asked, and the answers are scored by their strings
and the pages that they cite.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cluster.client import ClusterClient
from cluster.collect import ClusterCollector
from cluster.facts import ClusterFacts
from cluster.topology import LiveTopology
from core.answers import Answer, Inquiry
from core.clock import SystemClock
from core.redact import Redactor
from knowledge.chain import RagChain
from knowledge.library import Library
from knowledge.minilm import MiniLmEmbedder
from knowledge.models import EXTRACTIVE, ModelConfig, Models
from knowledge.store_edge import EdgeStore
from sandbox.cluster.server import run_cluster
from sandbox.knowledge.generate import prepare

QUESTIONS = Path(__file__).parent / "questions.jsonl"
_AGO = re.compile(r"\{-(\d+)([hm])\}")


@dataclass(frozen=True, slots=True)
class Case:
    """One question; the fields are those of README.md, `wanted` is its `all`."""

    id: str
    kind: str
    question: str
    gold: tuple[str, ...]
    answers: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    answerable: bool = True


@dataclass(frozen=True, slots=True)
class Score:
    """How one answer fared; for an unanswerable question both are the refusal.

    Attributes:
        is_right: One of the case's strings and all of its `wanted` ones stand in the answer.
        is_cited: A place that holds the answer is cited.
        words: Length of the answer, code and tables left out.
    """

    case: Case
    is_right: bool
    is_cited: bool
    words: int


def read_cases(path: Path = QUESTIONS) -> list[Case]:
    """The cases of a file.

    Raises:
        ValueError: A line is not a case.
    """
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            case = Case(
                id=row["id"],
                kind=row["kind"],
                question=row["question"],
                gold=tuple(row["gold"]),
                answers=tuple(row["answers"]),
                wanted=tuple(row.get("all", ())),
                answerable=row["answerable"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"Line {number} of {path} is no case ({error!r}); see README.md."
            ) from error
        cases.append(case)
    return cases


def filled(question: str, made_at: datetime) -> str:
    """A question with `{-3h}` replaced by the time of day 3 hours before `made_at`, in UTC."""

    def put(match: re.Match[str]) -> str:
        unit = "hours" if match[2] == "h" else "minutes"
        moment = made_at - timedelta(**{unit: int(match[1])})
        return f"{moment.astimezone(UTC):%H:%M}"

    return _AGO.sub(put, question)


def score(case: Case, answer: Answer) -> Score:
    """Hold an answer against its case."""
    words = _prose_words(answer.text)
    if not case.answerable:
        refused = not answer.is_grounded
        return Score(case, refused, refused and not answer.citations, words)
    said = _flat(re.sub(r"\[\d+(?:, ?\d+)*\]", "", answer.text))
    is_right = any(_flat(text) in said for text in case.answers)
    is_right = is_right and all(_flat(text) in said for text in case.wanted)
    cited = {citation.location for citation in answer.citations}
    return Score(case, is_right, any(_is_place(gold, cited) for gold in case.gold), words)


def _is_place(gold: str, cited: Iterable[str]) -> bool:
    """Whether a gold place is among the cited ones; CSV files are cited by their pattern."""
    if gold.startswith("cluster:"):
        namespace, kind, name = gold.removeprefix("cluster:").split("/")
        return f"{kind}/{namespace}/{name}" in cited
    folder = gold.rpartition("/")[0]
    for place in cited:
        page = place.partition("#")[0]
        if page == gold or (folder and page == f"{folder}/*.csv"):
            return True
    return False


def _flat(text: str) -> str:
    return " ".join(re.sub(r"[`*]", "", text).split()).lower()


def _prose_words(text: str) -> int:
    bare = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return sum(len(line.split()) for line in bare.splitlines() if not line.lstrip().startswith("|"))


@asynccontextmanager
async def open_chain(
    folder: Path, made_at: datetime, *, is_dense: bool = True
) -> AsyncIterator[RagChain]:
    """The chain on the sandbox's world, indexed and complete; time in the cluster stands still.

    Args:
        folder: Takes knowledge, kubeconfig and index.
        made_at: The moment the logs end at; aware.
        is_dense: Whether to search by meaning too; filling the index takes half a minute then.
    """
    clock = SystemClock()
    knowledge = await asyncio.to_thread(prepare, folder / "knowledge", made_at)
    redactor = Redactor(b"evals" * 8)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(run_cluster(speed=0))
        path = running.kubeconfig(folder / "kubeconfig")
        client = await ClusterClient.from_kubeconfig(str(path), None, "demo")
        collector = ClusterCollector([client], clock, redactor)
        stack.push_async_callback(collector.close)
        facts = ClusterFacts(collector, redactor, clock)
        stack.push_async_callback(facts.close)
        embedder = MiniLmEmbedder() if is_dense else None
        name, size = (embedder.name, embedder.size) if embedder else ("none", 1)
        store = await EdgeStore.open(folder / "qdrant", name, size)
        sources = (
            f"markdown:{knowledge}",
            f"csv-logs:{knowledge}/logs/*.csv",
            f"csv-metrics:{knowledge}/metrics/*.csv",
            f"graph:{knowledge}/graph.yaml",
        )
        library = Library(
            sources,
            store,
            embedder,
            redactor,
            clock,
            UTC,
            facts.workloads_on_node,
            LiveTopology(collector).edges,
        )
        stack.push_async_callback(library.close)
        await library.start()
        await library.index()
        await library.fill_dense()
        yield RagChain(library, facts, Models(ModelConfig(model=EXTRACTIVE), clock), clock)


def table(scores: Sequence[Score]) -> str:
    """Right and cited answers a kind, and how long they are."""
    lines = ["| kind | right | cited | words (median) |", "|---|---|---|---|"]
    kinds = list(dict.fromkeys(score.case.kind for score in scores))
    for kind in [*kinds, ""]:
        own = [score for score in scores if kind in {score.case.kind, ""}]
        lengths = sorted(score.words for score in own)
        right, cited = sum(s.is_right for s in own), sum(s.is_cited for s in own)
        middle = lengths[len(lengths) // 2] if lengths else 0
        lines.append(f"| {kind or 'all'} | {right}/{len(own)} | {cited}/{len(own)} | {middle} |")
    return "\n".join(lines)


async def run(cases: Sequence[Case], *, is_verbose: bool, is_dense: bool = True) -> list[Score]:
    """Ask every question; prints the answers when verbose, else the wrong ones' names."""
    made_at = datetime.now(UTC)
    scores = []
    with tempfile.TemporaryDirectory() as folder:
        async with open_chain(Path(folder), made_at, is_dense=is_dense) as chain:
            for case in cases:
                question = filled(case.question, made_at)
                answer = await chain.answer(Inquiry(question))
                scores.append(score(case, answer))
                say(_told(scores[-1], question, answer, is_verbose=is_verbose))
    return scores


def _told(result: Score, question: str, answer: Answer, *, is_verbose: bool) -> str:
    verdict = "right" if result.is_right else "WRONG"
    cited = "cited" if result.is_cited else "NOT CITED"
    head = f"{result.case.id}: {verdict}, {cited}, {result.words} words: {question}"
    if not is_verbose:
        return "" if result.is_right and result.is_cited else head
    sources = "\n".join(f"  [{c.number}] {c.title} ({c.location})" for c in answer.citations)
    return f"{'=' * 8} {head}\n{answer.text}\n{sources}\n"


def say(text: str) -> None:
    """Print a text that is not empty."""
    if text:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, ask, print the table."""
    parser = argparse.ArgumentParser(prog="python -m evals.answers", description=__doc__)
    parser.add_argument("--kind", help="only questions of this kind")
    parser.add_argument("--id", help="only questions whose id starts like this")
    parser.add_argument("--verbose", action="store_true", help="print every answer")
    parser.add_argument("--text-only", action="store_true", help="do not search by meaning")
    given = parser.parse_args(arguments)
    cases = [
        case
        for case in read_cases()
        if given.kind in {None, case.kind} and case.id.startswith(given.id or "")
    ]
    if not cases:
        sys.stderr.write("No question is of that kind or name; see evals/README.md.\n")
        return 1
    is_dense = not given.text_only
    say(table(asyncio.run(run(cases, is_verbose=given.verbose, is_dense=is_dense))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
