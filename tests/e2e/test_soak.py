"""Thousands of mixed events under faults and restarts: each question one answer, memory flat.

The workspace's retries run on a compressed clock; the bot's own time is real.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.blocks.answer import FEEDBACK_ACTION
from sandbox.cluster.server import run_cluster
from sandbox.slack import world
from sandbox.slack.errors import ControlError, SlackError
from sandbox.slack.server import RunningWorkspace, run_workspace
from tests.e2e.program import clean_environment, is_final

Json = dict[str, Any]
INTERRUPTED = "I was interrupted"
CHANNELS = tuple(f"soak-{number}" for number in range(20))
# Retries that Slack sends after one and five minutes come after 12 seconds and a minute: no sooner,
# or all would come while the bot, whose time is real, starts again.
SPEED = 5.0
AT_ONCE = 12
FAULTS: tuple[Json, ...] = (
    {"kind": "ratelimited", "method": "*", "retry_after_seconds": 1},
    {"kind": "http_error", "method": "*", "status": 500},
    {"kind": "drop", "method": "*"},
    {"kind": "lost", "method": "chat.postMessage"},
    {"kind": "lost", "method": "chat.startStream"},
    {"kind": "lost", "method": "chat.update"},
    {"kind": "duplicate_event"},
    {"kind": "reorder_events"},
)


@dataclass(frozen=True)
class Typed:
    """A command that was confirmed.

    Attributes:
        user: Who typed it, and nothing else.
        asks: Whether a first reply says that it is being looked into.
    """

    user: str
    asks: bool


@dataclass
class Soak:
    """A workspace, the bot in a process of its own, and what was asked."""

    running: RunningWorkspace
    environment: dict[str, str]
    folder: Path
    generator: random.Random
    process: Process | None = None
    mentions: list[tuple[str, str]] = field(default_factory=list)
    typed: list[Typed] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    async def start(self) -> None:
        """Start the bot, and wait until it can be reached."""
        with (self.folder / "log").open("ab") as stream:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run",
                cwd=self.folder, env=self.environment, stdout=stream, stderr=stream,
            )  # fmt: skip
        await self.eventually(lambda: self.running.connected, 120)

    async def stop(self, *, kills: bool) -> None:
        """End the bot, as a deployment or as a power cut does."""
        assert self.process is not None
        (self.process.kill if kills else self.process.terminate)()
        await self.process.wait()
        await self.eventually(lambda: not self.running.connected, 30)

    def resident_megabytes(self) -> float:
        """The bot's memory."""
        assert self.process is not None
        pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * 4096 / 1e6

    async def eventually(self, holds: Callable[[], object], seconds: float) -> bool:
        """Wait until something is so; False where it is not after so long."""
        for _ in range(int(seconds * 10)):
            if holds():
                return True
            assert self.process is None or self.process.returncode in {None, 0, -9}
            await asyncio.sleep(0.1)
        return False

    async def act(self) -> None:
        """One event, of some kind."""
        kinds = {self.mention: 25, self.command: 20, self.vote: 10, self.edit: 10, self.noise: 35}
        chosen = self.generator.choices(list(kinds), list(kinds.values()))[0]
        self.done[chosen.__name__] += 1
        try:
            await chosen()
        except (ControlError, SlackError):
            self.done["refused by the workspace"] += 1

    async def mention(self) -> None:
        """A question in a thread of its own."""
        channel = self.generator.choice(CHANNELS)
        text = f"<@UOPSBOT> why does payments restart? {len(self.mentions)}"
        sent = self.running.controls.say(channel, "ines", text)
        self.mentions.append((channel, sent["ts"]))

    async def command(self) -> None:
        """A slash command, each by somebody else, so that who was told what can be seen."""
        name = f"asker-{self.done['command']}"
        person = self.running.controls.add_user(name, name, world.TEAM_ID, is_restricted=False)
        channel = self.generator.choice(CHANNELS)
        self.running.controls.conversation(channel).members.add(person.id)
        asks = self.generator.random() < 0.6
        others = ("help", "stauts", "search oom")
        text = "ask what limits payments?" if asks else self.generator.choice(others)
        reply = await self.running.controls.command(channel, name, "/k8s", text)
        if reply["acked"]:
            self.typed.append(Typed(person.id, asks))

    async def vote(self) -> None:
        """A press on an answer's thumb; a thumb down opens a form, which is sent."""
        finals = [
            (channel, row)
            for channel, ts in self.mentions[-60:-20]
            for row in self.answers(channel, ts)
            if is_final(row)
        ]
        if not finals:
            return
        channel, row = self.generator.choice(finals)
        reference = _reference(row)
        way = self.generator.choice(("up", "down"))
        await self.running.controls.act(
            channel, "ines", row["ts"], FEEDBACK_ACTION, f"{reference}:{way}"
        )
        if way == "down":
            await asyncio.sleep(0.3)
            await self.running.controls.view("ines", "", "submit", {"comment": "outdated"})

    async def edit(self) -> None:
        """A question that was asked is changed, which asks nothing."""
        if self.mentions:
            channel, ts = self.generator.choice(self.mentions[-50:])
            self.running.controls.edit(channel, "ines", ts, "<@UOPSBOT> never mind")

    async def noise(self) -> None:
        """What is none of the bot's business."""
        controls, channel = self.running.controls, self.generator.choice(CHANNELS)
        kind = self.generator.randrange(4)
        if kind == 0:
            controls.say(channel, "ines", "lunch?")
        elif kind == 1:
            controls.post_as_bot(channel, "alertbot", "<@UOPSBOT> firing", {})
        elif kind == 2 and self.mentions:
            where, ts = self.generator.choice(self.mentions[-50:])
            controls.react(where, "ines", ts, "thumbsup", remove=False)
        else:
            controls.home("ines", "home")

    def answers(self, channel: str, thread: str) -> list[Json]:
        """The bot's messages in a thread."""
        messages = self.running.controls.conversation(channel).thread(thread)
        return [row for row in messages if row["user"] == world.BOT_USER_ID]

    def open_mentions(self) -> list[str]:
        """Threads without an end."""
        return [
            ts
            for channel, ts in self.mentions
            if not any(_is_closed(row) for row in self.answers(channel, ts))
        ]

    def last_words(self, typed: Typed) -> int:
        """How many last words there are for a command."""
        rows = self.running.workspace.ephemerals.get(typed.user, [])
        return sum(_is_closed(row) or _tells_a_problem(row) or not typed.asks for row in rows)

    def open_commands(self) -> list[str]:
        """Who typed a command that was confirmed, and has no last word."""
        return [typed.user for typed in self.typed if not self.last_words(typed)]


def _tells_a_problem(row: Json) -> bool:
    return str(row["text"]).startswith("⚠️")


def _is_closed(row: Json) -> bool:
    return is_final(row) or INTERRUPTED in str(row["text"])


def _reference(row: Json) -> str:
    for block in row["blocks"]:
        for element in block.get("elements", ()):
            if element.get("action_id") == FEEDBACK_ACTION:
                return str(element["positive_button"]["value"]).partition(":")[0]
    return ""


@asynccontextmanager
async def soaking(folder: Path) -> AsyncIterator[Soak]:
    (folder / "pages").mkdir()
    (folder / "pages" / "payments.md").write_text("# Payments\n\nRestarts: raise its limit.\n")
    async with run_workspace() as running, run_cluster() as cluster:
        for name in CHANNELS:
            running.controls.arrange_channel(name, private=False, archived=False, ext_shared=False)
            members = running.controls.conversation(name).members
            members |= {world.BOT_USER_ID, *running.workspace.users}
        environment = clean_environment(
            SLACK_BOT_TOKEN=world.BOT_TOKEN,
            SLACK_APP_TOKEN=world.APP_TOKEN,
            SLACK_API_URL=running.api_url,
            KUBECONFIG=str(cluster.kubeconfig(folder / "kubeconfig")),
            KNOWLEDGE_SOURCES=f"markdown:{folder / 'pages'}",
            EMBED_MODEL="none",
            DIGEST_CHANNEL="",
            OPSBOT_DATA_DIR=str(folder / "data"),
        )
        soak = Soak(running, environment, folder, random.Random(5))  # noqa: S311  (no secret)
        await soak.start()
        try:
            yield soak
        finally:
            assert soak.process is not None
            if soak.process.returncode is None:
                soak.process.terminate()
                await soak.process.wait()


async def run(soak: Soak, events: int) -> list[float]:
    """Let so much happen; gives the memory in each tenth, in megabytes."""
    soak.running.workspace.clock.set_speed(SPEED)
    memory: list[float] = []
    for tenth in range(10):
        seen: list[float] = []
        for number in range(events // 10 // AT_ONCE + 1):
            if soak.generator.random() < 0.3:
                soak.running.controls.faults.add(soak.generator.choice(FAULTS))
            if soak.generator.random() < 0.01:
                await soak.running.controls.dispatcher.disconnect("warning")
            await asyncio.gather(*(soak.act() for _ in range(AT_ONCE)))
            # No faster than it answers, or the line in front of it is all that is tested.
            await soak.eventually(lambda: len(soak.open_mentions()) < 3 * AT_ONCE, 60)
            seen.append(soak.resident_megabytes())
            # Restarts in the first tenth, so that the other nine are one process's life.
            if not tenth and number in {2, 5, events // 10 // AT_ONCE}:
                await soak.stop(kills=number != 5)
                await soak.start()
        memory.append(statistics.median(seen))
    soak.running.controls.faults.clear()
    return memory


async def check(soak: Soak, memory: list[float]) -> str:
    """What came of it, in a line; fails where something is lost or doubled."""

    def is_done() -> bool:
        return not soak.open_mentions() and not soak.open_commands()

    await soak.eventually(is_done, 120)
    await soak.stop(kills=True)
    await soak.start()
    await soak.eventually(is_done, 60)
    lost, unanswered = soak.open_mentions(), soak.open_commands()
    doubled = [ts for channel, ts in soak.mentions if len(soak.answers(channel, ts)) > 1]
    words = Counter(soak.last_words(typed) for typed in soak.typed)
    summary = (
        f"{dict(soak.done)}; mentions {len(soak.mentions)}, lost {len(lost)}, "
        f"doubled {len(doubled)}; commands by number of last words {dict(words)}; "
        f"memory {[round(megabytes, 1) for megabytes in memory]} MB, "
        f"growth {memory[-1] / memory[1] - 1:+.1%}"
    )
    assert (lost, doubled, unanswered) == ([], [], []), summary
    assert max(words) == 1, summary
    return summary


@pytest.mark.timeout(180)
async def test_a_short_soak_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with soaking(tmp_path) as soak:
        await check(soak, await run(soak, 240))


@pytest.mark.drill
@pytest.mark.timeout(7200)
async def test_a_long_soak_loses_and_doubles_nothing_and_keeps_its_memory(
    tmp_path: Path, soak_events: int
) -> None:
    async with soaking(tmp_path) as soak:
        memory = await run(soak, soak_events)
        sys.stdout.write(f"\n{await check(soak, memory)}\n")
        if soak_events >= 10_000:
            assert memory[-1] <= memory[1] * 1.05, memory
