"""What is built from which settings, with the real parts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import app as root
from bot.app import App, open_app
from bot.commands.table import TASKS
from bot.config_file import FileConfig
from bot.datafolder import DataFolder
from bot.digests import _config, digest_channels, digest_plans
from bot.settings import Settings, load_settings
from bot.thread_tasks import ALERT, EXPLAIN, THREAD_TASKS
from core.answers import Answer, Done, GenerationOptions, PartState, Scope
from core.clock import SystemClock
from core.errors import SettingsError
from core.findings import Severity
from core.posts import Post
from digest.outbox import Rounds
from digest.urgent import UrgentService


class Poster:
    """Takes digests and posts nothing."""

    async def find(self, post: Post) -> str | None:
        return None

    async def send(self, post: Post) -> str:
        return "1.0"

    async def update(self, post: Post) -> None:
        pass


@pytest.fixture(autouse=True)
def nothing_of_the_developers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(root, "USUAL_KUBECONFIG", tmp_path / "absent")


def settings_in(folder: Path, **more: Any) -> Settings:
    return load_settings(
        opsbot_data_dir=folder / "data", llm_model="extractive", embed_model="none", **more
    )


async def ask(app: App, question: str, task: str = "") -> Answer:
    async for event in app.engine.ask(question, GenerationOptions(), task):
        if isinstance(event, Done):
            return event.answer
    raise AssertionError("no answer")


async def test_with_nothing_configured_it_starts_and_says_so(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    folder = DataFolder(settings.opsbot_data_dir)
    async with open_app(settings, FileConfig(), folder, SystemClock()) as app:
        rows = {row.part: row for row in await app.engine.health()}
        assert rows["cluster"].state is PartState.DEGRADED
        assert "KUBECONFIG" in rows["cluster"].remedy
        assert rows["search"].detail == "the index is empty"
        assert rows["state"].state is PartState.OK
        assert app.schedules == ()


async def test_every_task_of_the_table_is_built_and_says_what_it_lacks(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    folder = DataFolder(settings.opsbot_data_dir)
    async with open_app(settings, FileConfig(), folder, SystemClock()) as app:
        asked_by_none = {ALERT, EXPLAIN}
        assert set(app.services.tasks) == {row.name for row in TASKS} | THREAD_TASKS | asked_by_none
        for task, argument, lacks in (
            ("owner", "payments", "No service graph is configured"),
            ("impact", "worker-3", "No service graph is configured"),
            ("limits", "payments", "No cluster is configured (KUBECONFIG)"),
            ("errors", "5", "KNOWLEDGE_SOURCES is empty and no cluster is configured"),
            ("similar", "connection refused", "I found nothing"),
            ("classify", "flux capacitor out of phase", "No rule of mine knows this text"),
        ):
            answer = await ask(app, argument, task)
            assert lacks in " ".join((answer.text, *answer.notes)), task
            assert not answer.is_grounded


async def test_a_cluster_that_cannot_be_used_is_a_gap_not_an_absence(tmp_path: Path) -> None:
    settings = settings_in(
        tmp_path, kubeconfig=str(tmp_path / "no-such-file"), kube_contexts=("prod",)
    )
    folder = DataFolder(settings.opsbot_data_dir)
    async with open_app(settings, FileConfig(), folder, SystemClock()) as app:
        digest = await app.engine.digest(None)
        assert any("prod" in gap.what for gap in digest.gaps)
        rows = {row.part: row for row in await app.engine.health()}
        assert rows["cluster prod"].state is PartState.DOWN
        assert "unusable" in rows["cluster prod"].detail
        answer = await ask(app, "why is payments down?")
        assert any("prod" in gap.what for gap in answer.gaps)


async def test_a_qdrant_server_that_is_down_stops_neither_start_nor_answer(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "redis.md").write_text("# Redis\n\nRestart redis by hand.\n")
    (tmp_path / "graph.yaml").write_text(
        "teams: {orders: {on_call: Tomás}}\nservices: {payments: {team: orders}}\n"
    )
    settings = settings_in(
        tmp_path,
        qdrant_url="http://127.0.0.1:9",
        knowledge_sources=(f"markdown:{tmp_path}/docs", f"graph:{tmp_path}/graph.yaml"),
    )
    folder = DataFolder(settings.opsbot_data_dir)
    async with open_app(settings, FileConfig(), folder, SystemClock()) as app:
        answer = await ask(app, "who owns payments?")
        assert "orders" in answer.text
        assert any(gap.what == "documentation search" for gap in answer.gaps)


def test_schedules_of_the_file_replace_the_one_of_the_settings(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, digest_channel="C1", digest_cron="0 7 * * *")
    (default,) = digest_plans(settings, FileConfig())
    assert (default.name, default.channel, default.cron) == ("daily", "C1", "0 7 * * *")
    config = FileConfig.model_validate({"schedules": [{"name": "night", "channel": "C2"}]})
    assert [plan.name for plan in digest_plans(settings, config)] == ["night"]


def schedules(*rows: dict[str, str]) -> FileConfig:
    return FileConfig.model_validate({"schedules": [{"channel": "C1", **row} for row in rows]})


def test_a_look_back_needs_a_digest_to_look_back_on(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    week = {"name": "week", "kind": "look-back"}
    ordered = digest_plans(settings, schedules(week, {"name": "night"}))
    assert [plan.name for plan in ordered] == ["night", "week"]
    with pytest.raises(SettingsError, match=r"schedule week .*a digest, and there is none.*Add a"):
        digest_plans(settings, schedules(week))
    with pytest.raises(SettingsError, match=r"looks back on day.*Name one in `of`: night\."):
        digest_plans(settings, schedules({**week, "of": "day"}, {"name": "night"}))


async def test_a_look_back_has_a_schedule_of_its_own(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    config = schedules({"name": "night"}, {"name": "week", "kind": "look-back", "of": "night"})
    folder = DataFolder(settings.opsbot_data_dir)
    poster = Poster()
    async with open_app(
        settings, config, folder, SystemClock(), poster_for=lambda _: poster
    ) as app:
        assert [each.name for each in app.schedules] == ["night", "week"]
        assert [each.looks_back_on for each in await app.services.planned()] == ["", "night"]
        assert await app.schedules[1].run(datetime(2026, 3, 2, 9, tzinfo=UTC))
        shown = await app.services.look_backs.preview(Scope())
        assert shown.look_back is not None
        assert shown.look_back.of == "night"


async def test_each_schedule_gets_its_own_channel_and_time(tmp_path: Path) -> None:
    config = FileConfig.model_validate(
        {
            "schedules": [
                {"name": "night", "channel": "C2", "cron": "0 22 * * *"},
                {"name": "shop", "channel": "C3", "namespaces": ["shop"]},
            ],
            "clusters": [{"name": "east", "kubeconfig": str(tmp_path / "gone")}],
            "thresholds": {"unschedulable_hold_seconds": 60},
        }
    )
    settings = settings_in(tmp_path)
    folder = DataFolder(settings.opsbot_data_dir)
    async with open_app(
        settings, config, folder, SystemClock(), poster_for=lambda _: Poster()
    ) as app:
        assert [schedule.name for schedule in app.schedules] == ["night", "shop"]
        # What is urgent goes to the first one's channel; for another that wants to be asked for.
        assert [type(each) for each in app.look_outs] == [UrgentService, Rounds]
        planned = await app.services.planned()
        assert [(each.name, each.channel, each.last) for each in planned] == [
            ("night", "C2", None),
            ("shop", "C3", None),
        ]
        assert all(each.next_due is not None for each in planned)
        assert app.collector.names == ("east",)
        parts = [row.part for row in await app.engine.health()]
        assert {"digest night", "digest shop"} <= set(parts)


async def test_an_unknown_threshold_is_named(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    config = FileConfig(thresholds={"patience": 3})
    with pytest.raises(SettingsError, match="patience is not one of them"):
        async with open_app(settings, config, DataFolder(settings.opsbot_data_dir), SystemClock()):
            pass


def test_channels_of_teams_are_looked_up_as_well() -> None:
    config = FileConfig.model_validate(
        {"schedules": [{"name": "a", "channel": "C1", "teams": {"orders": "#orders"}}]}
    )
    assert digest_channels(config.schedules) == {"C1", "#orders"}


def test_severities_of_the_file_are_those_of_findings() -> None:
    config = FileConfig.model_validate(
        {"schedules": [{"name": "a", "channel": "C", "minimum_severity": "critical"}]}
    )
    assert _config(config.schedules[0]).minimum_severity is Severity.CRITICAL


async def test_an_embedding_model_that_is_down_leaves_the_search_by_words(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "redis.md").write_text("# Redis\n\nRestart redis by hand.\n")
    settings = load_settings(
        opsbot_data_dir=tmp_path / "data",
        llm_model="extractive",
        embed_model="ollama:nomic-embed-text",
        ollama_base_url="http://127.0.0.1:9",
        knowledge_sources=(f"markdown:{tmp_path}/docs",),
    )
    folder = DataFolder(settings.opsbot_data_dir)
    async with open_app(settings, FileConfig(), folder, SystemClock()) as app:
        await app.library.index()
        rows = {row.part: row for row in await app.engine.health()}
        assert rows["search"].state is PartState.DEGRADED
        assert "words alone: ollama:nomic-embed-text" in rows["search"].detail
        answer = await ask(app, "how do I restart redis?")
        assert "by hand" in answer.text
