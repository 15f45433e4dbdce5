"""How each part's health is found out; `bot.app` puts the checks together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from bot.health import Check, Look
from bot.mrkdwn import ago
from bot.schedule import Schedule
from cluster.alertmanager import AlertFeed
from cluster.collect import ClusterCollector
from core.answers import PartState
from core.clock import Clock
from digest.ports import DigestStore
from knowledge.late import LateEmbedder
from knowledge.library import Library
from knowledge.models import Models
from knowledge.ports import Embedder, VectorStore
from state.database import Database

# More than the network and a header's precision of a second explain.
MOST_SKEW_SECONDS = 30.0
SKEW_REMEDY = "Set both clocks by NTP: ages and windows are wrong by as much."


def model_check(models: Models) -> Check:
    """Which model words the answers; answering without one is a choice or a shortcoming."""

    async def look() -> Look:
        choice = await models.current()
        if choice.model is not None or models.config.model == "extractive":
            return Look(PartState.OK, choice.note)
        return Look(PartState.DEGRADED, choice.note)

    return Check("model", look)


def search_check(store: VectorStore, embedder: Embedder | None) -> Check:
    """The vector store, and how far the index has come.

    Args:
        store: The chunks.
        embedder: Gives them dense vectors; None where nothing does.
    """

    async def look() -> Look:
        count = await store.count()
        if not count:
            remedy = "Set KNOWLEDGE_SOURCES, then run `opsbot index`."
            return Look(PartState.DEGRADED, "the index is empty", remedy)
        by_words = f"{count:,} chunks, searched by their words alone"
        if embedder is None:
            return Look(PartState.OK, by_words)
        if isinstance(embedder, LateEmbedder) and embedder.failure:
            why = embedder.failure
            return Look(PartState.DEGRADED, f"{by_words}: {embedder.name}: {why.wrong}", why.remedy)
        filled = await store.count_dense()
        if filled >= count:
            return Look(PartState.OK, f"{count:,} chunks")
        # All can be found by their words already, so this is no shortcoming to mend.
        share = filled * 100 // count
        return Look(PartState.OK, f"{count:,} chunks, meaning {share} % indexed")

    return Check("search", look, is_needed=True)


def source_checks(library: Library, uris: Sequence[str], clock: Clock) -> list[Check]:
    """One row a knowledge source, with its count and its age."""

    def check(uri: str) -> Check:
        async def look() -> Look:
            status = next(one for one in await library.status() if one.uri == uri)
            age = f", newest {ago(clock.now() - status.newest)}" if status.newest else ""
            detail = f"{status.count} {status.unit}{age}"
            if not status.problems:
                return Look(PartState.OK if status.count else PartState.DEGRADED, detail)
            path, why = status.problems[0]
            more = f" and {len(status.problems) - 1} more" if len(status.problems) > 1 else ""
            where = _short(path)
            return Look(PartState.DEGRADED, f"{detail}; not all is usable: {where} ({why}){more}")

        scheme, _, place = uri.partition(":")
        return Check(f"{scheme}: {_short(place)}", look)

    return [check(uri) for uri in uris]


def _short(path: str) -> str:
    """The end of a path, which tells it apart; the whole of it is an operator's business."""
    return "/".join(PurePath(path).parts[-2:])


def skew_told(skew_seconds: float) -> str:
    """That another clock is not ours, or '' where they agree."""
    if abs(skew_seconds) <= MOST_SKEW_SECONDS:
        return ""
    side = "ahead of" if skew_seconds > 0 else "behind"
    return f"its clock is {abs(skew_seconds):.0f} s {side} ours"


def cluster_checks(collector: ClusterCollector) -> list[Check]:
    """One row a cluster."""

    def check(name: str) -> Check:
        async def look() -> Look:
            client = collector.client(name)
            version = await client.version()
            skew = client.clock_skew_seconds
            if wrong := skew_told(skew):
                return Look(PartState.DEGRADED, f"Kubernetes {version}; {wrong}", SKEW_REMEDY)
            return Look(PartState.OK, f"Kubernetes {version}")

        return Check(f"cluster {name}", look)

    async def none() -> Look:
        remedy = "Set KUBECONFIG, or run in a pod with a service account."
        return Look(PartState.DEGRADED, "no cluster is configured", remedy)

    return [check(name) for name in collector.names] or [Check("cluster", none)]


def alert_checks(alerts: AlertFeed | None, clusters: Sequence[str]) -> list[Check]:
    """One row, where alerts are asked for or taken."""
    if alerts is None:
        return []

    async def look() -> Look:
        firing = [alert for name in clusters for alert in await alerts.firing(name)]
        return Look(PartState.OK, f"{len(firing)} firing")

    return [Check("alerts", look)]


def state_check(database: Database) -> Check:
    """The state database."""

    async def look() -> Look:
        await database.try_write()
        return Look(PartState.OK, database.dialect)

    return Check("state", look, is_needed=True)


def digest_checks(schedules: Sequence[Schedule], store: DigestStore, clock: Clock) -> list[Check]:
    """One row a schedule: when it last posted, and when it will."""

    def check(schedule: Schedule) -> Check:
        async def look() -> Look:
            now = clock.now()
            last = await store.last_committed_end(schedule.name)
            following = schedule.next_due(now)
            told = f"last {ago(now - last)}" if last else "none posted yet"
            ahead = f", next {following:%Y-%m-%d %H:%M} UTC" if following else ""
            due = schedule.last_due(now)
            is_late = last is not None and due is not None and last < due
            state = PartState.DEGRADED if is_late else PartState.OK
            return Look(state, told + ahead)

        return Check(f"digest {schedule.name}", look)

    return [check(schedule) for schedule in schedules]
