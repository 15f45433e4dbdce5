"""What the bot counts for a Prometheus.

No label holds a user, a channel or anything typed: each has few values, known beforehand or from
the configuration. See docs/operating.md for what they mean together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from time import monotonic

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector

from bot.telemetry.entry import Entry
from knowledge.ports import ModelCall

# From what is quoted at once to what a slow model takes.
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 90.0, 120.0)
_COSINES = (0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9)
_BM25 = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0)


class Meter:
    """Counters, gauges and histograms, in a registry of their own."""

    def __init__(self) -> None:
        # When each series began: as many series again, for which nobody asks.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"opsbot_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"opsbot_{name}", text, labels, registry=registry)

        def histogram(
            name: str, text: str, *labels: str, buckets: Iterable[float] = _SECONDS
        ) -> Histogram:
            return Histogram(
                f"opsbot_{name}", text, labels, registry=registry, buckets=tuple(buckets)
            )

        self._requests = histogram(
            "request_duration_seconds", "Deliveries by how they came, to the end.", "entry"
        )
        self._failures = counter("request_failures_total", "Deliveries that broke.", "entry")
        for entry in Entry:  # a rate sees the first one only from a zero on
            self._requests.labels(entry)
            self._failures.labels(entry)
        self._answers = histogram(
            "answer_duration_seconds", "Answers and actions, as the audit log has them.", "command"
        )
        self._outcomes = counter(
            "answers_total", "The same, by how they ended.", "command", "outcome"
        )
        self._steps = histogram("step_duration_seconds", "Parts of answers.", "step")
        self.queues = gauge("queue_length", "How many wait.", "queue")
        self._calls = histogram(
            "model_call_duration_seconds", "Calls of the model.", "model", "task"
        )
        self._call_outcomes = counter(
            "model_calls_total", "The same, by how they ended.", "model", "task", "outcome"
        )
        self._tokens = counter(
            "model_tokens_total", "As the provider counts them.", "model", "task", "direction"
        )
        self._cosine = histogram(
            "retrieval_best_cosine", "Of the nearest chunk to a question.", buckets=_COSINES
        )
        self._bm25 = histogram("retrieval_best_bm25", "Of the best chunk by words.", buckets=_BM25)
        self._deliveries = counter(
            "slack_deliveries_total", "From Slack: new, or repeated and left out.", "outcome"
        )
        self._slack = counter(
            "slack_calls_total", "Calls to Slack, each try counted.", "method", "outcome"
        )
        self._dropped = counter(
            "dropped_deliveries_total", "What was given up: nobody got to see it.", "what"
        )
        self._dropped.labels("answer")
        self._refused = counter(
            "refused_posts_total", "Digests that Slack does not let the bot post.", "code"
        )
        self.refused_channels = gauge(
            "refused_channels", "Channels that the last digest could not be posted to."
        )
        self._redactions = counter("redactions_total", "Secrets taken out of texts.", "kind")
        self._snapshots = histogram(
            "cluster_snapshot_duration_seconds", "Snapshots that were read.", "cluster"
        )
        self._unread = counter(
            "cluster_snapshot_failures_total", "Snapshots that could not be read.", "cluster"
        )
        self.index_chunks = gauge("index_chunks", "Chunks that can be found.")
        self.index_vectors = gauge("index_vectors", "Of these, found by meaning too.")
        self.indexed = gauge(
            "index_last_success_timestamp_seconds", "When the sources were last read."
        )
        self.digest_due = gauge(
            "digest_last_due_timestamp_seconds", "When the last digest was due.", "schedule"
        )
        self.digest_posted = gauge(
            "digest_last_success_timestamp_seconds",
            "The due time of the last one that was told; 0: none yet.",
            "schedule",
        )
        self.ready = gauge("ready", "1 when the bot can take work, as /readyz tells.")

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """All of it, and its content type, in the best format that `accept` names."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    @contextmanager
    def request(self, entry: Entry) -> Iterator[None]:
        """Time a delivery; one that raises has failed."""
        began = monotonic()
        try:
            yield
        except Exception:
            self.failed(entry)
            raise
        finally:
            self.took(entry, monotonic() - began)

    def took(self, entry: Entry, seconds: float) -> None:
        """A delivery was dealt with, well or not."""
        self._requests.labels(entry).observe(seconds)

    def failed(self, entry: Entry) -> None:
        """A delivery broke something; an answer that failed in words is told by `answered`."""
        self._failures.labels(entry).inc()

    def answered(self, command: str, outcome: str, seconds: float | None) -> None:
        """An answer or an action is over. `outcome` as in `bot.audit`."""
        # "refused: " and why: what counts is that.
        self._outcomes.labels(command, outcome.partition(":")[0]).inc()
        if seconds is not None:
            self._answers.labels(command).observe(seconds)

    def stepped(self, step: str, seconds: float) -> None:
        """A part of an answer is over."""
        self._steps.labels(step).observe(seconds)

    def queue(self, name: str, length: Callable[[], float]) -> None:
        """Let the length of a queue be asked for at each scrape."""
        self.queues.labels(name).set_function(length)

    def called(self, call: ModelCall, task: str) -> None:
        """A model's call is over."""
        self._calls.labels(call.model, task).observe(call.seconds)
        self._call_outcomes.labels(call.model, task, call.outcome).inc()
        self._tokens.labels(call.model, task, "prompt").inc(call.prompt_tokens)
        self._tokens.labels(call.model, task, "answer").inc(call.answer_tokens)

    def searched(self, bm25: float | None, cosine: float | None) -> None:
        """A search is over, with the best scores of its legs; None where one found nothing."""
        if bm25 is not None:
            self._bm25.observe(bm25)
        if cosine is not None:
            self._cosine.observe(cosine)

    def delivered(self, *, is_new: bool) -> None:
        """Slack delivered something, for the first time or again."""
        self._deliveries.labels("new" if is_new else "repeated").inc()

    def called_slack(self, method: str, outcome: str) -> None:
        """A call to Slack is over; what is no answer is mostly tried again."""
        self._slack.labels(method, outcome).inc()

    def dropped(self, what: str) -> None:
        """Something was given up that somebody should have seen."""
        self._dropped.labels(what).inc()

    def refused(self, code: str) -> None:
        """Slack does not let a digest be posted, by its own word for why."""
        self._refused.labels(code).inc()

    def redacted(self, kind: str) -> None:
        """A secret was taken out of a text."""
        self._redactions.labels(kind).inc()

    def expect(self, clusters: Iterable[str], line: Sized) -> None:
        """Begin at zero for each cluster, so that its first failure counts as one.

        Args:
            clusters: Their names.
            line: In front of the model.
        """
        self.queue("model", lambda: len(line))
        for name in clusters:
            self._snapshots.labels(name)
            self._unread.labels(name)

    def snapshot(self, cluster: str, seconds: float, is_read: bool) -> None:
        """A cluster was read, or could not be."""
        if is_read:
            self._snapshots.labels(cluster).observe(seconds)
        else:
            self._unread.labels(cluster).inc()
