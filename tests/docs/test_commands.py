"""Every command of every page is run here, run by a test that is named, or says what it needs.

A page's commands are run in their order in one folder that looks like a fresh clone, with a
recorded cluster behind KUBECONFIG and with nothing else.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.main import get_command

from bot.cli import app
from bot.commands.table import COMMANDS
from bot.settings import Settings
from sandbox.cluster.server import run_cluster
from sandbox.slack.server import run_workspace
from tests.docs.commands import PAGES, ROOT, TEXTS, Shown, commands, fences
from tests.e2e.program import clean_environment

SHOWN = [command for page in PAGES for command in commands(page)]
UNMARKED = [command for command in SHOWN if not command.needs]
# They last until they are stopped, so tests of their own run them.
LASTING = {
    "make demo": "tests/e2e/test_demo.py::test_why_does_payments_keep_restarting",
    "opsbot demo": "tests/e2e/test_demo.py::test_why_does_payments_keep_restarting",
    "opsbot index --watch": "tests/e2e/test_watch.py::"
    "test_a_new_page_is_indexed_and_ctrl_c_ends_the_watch",
    "python -m sandbox.slack": "tests/sandbox/slack/test_running.py::"
    "test_the_process_says_when_it_is_ready_and_stops_cleanly",
}
RUN = frozenset({"cp", "echo", "mkdir", "opsbot"})
LEFT_OUT = frozenset({".git", ".venv", ".opsbot", ".env"})


def lasts(command: Shown) -> bool:
    text = command.text.replace(".venv/bin/", "")
    return any(text == known or text.startswith(f"{known} ") for known in LASTING)


def program(command: Shown) -> str:
    """The program that a command runs, without what is set before it."""
    words = [word for word in command.words if not re.match(r"[A-Z_]+=", word)]
    return words[0].removeprefix(".venv/bin/")


def is_run(command: Shown) -> bool:
    return not command.needs and program(command) in RUN and not lasts(command)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_fence_says_what_it_holds(page: Path) -> None:
    odd = [kind for kind, _ in fences(page) if kind not in TEXTS | {"sh"}]
    assert not odd, f"mark commands by ```sh, else one of {sorted(TEXTS)}"


def test_an_unmarked_command_is_one_that_is_run() -> None:
    unknown = [
        f"{command.page}: {command.text}"
        for command in UNMARKED
        if not is_run(command) and not lasts(command) and program(command) not in {"make", "curl"}
    ]
    assert not unknown, "have tests/docs run it, or say what it needs: # needs …"


def test_a_command_that_lasts_is_run_by_the_test_that_is_named() -> None:
    for place in LASTING.values():
        path, _, name = place.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), place


@pytest.mark.parametrize("text", sorted({row.text for row in SHOWN if program(row) == "make"}))
def test_make_knows_what_it_is_told(text: str) -> None:
    done = subprocess.run(  # noqa: S603  (what our pages say)
        ["make", "--dry-run", *text.split()[1:]],  # noqa: S607  (whichever make there is)
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr


def problems_of(words: tuple[str, ...]) -> list[str]:
    """What `opsbot` would refuse of a command line, by names and options alone."""
    group: Any = get_command(app)
    rest = list(words)
    while hasattr(group, "commands"):
        if not rest or rest == ["--help"]:
            return []  # `opsbot eval` alone lists its commands
        if rest[0].startswith("-"):
            return ["no command is named"]
        name = rest.pop(0)
        if name not in group.commands:
            return [f"{name} is no command"]
        group = group.commands[name]
    known = {option for row in group.params for option in row.opts} | {"--help"}
    return [word for word in rest if word.startswith("--") and word not in known]


def test_the_options_of_opsbot_exist_in_marked_commands_too() -> None:
    wrong = [(row.page, row.text, problems_of(row.opsbot)) for row in SHOWN if row.opsbot]
    assert [row for row in wrong if row[2]] == []
    assert len(wrong) >= 10


INLINE = [
    (str(page.relative_to(ROOT)), code)
    for page in PAGES
    for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", page.read_text(encoding="utf-8"))
]


def test_what_a_sentence_calls_a_command_is_one() -> None:
    names = {command.name for command in COMMANDS}
    wrong = []
    for page, code in INLINE:
        if match := re.match(r"(?:.*=\S+ )?(?:\.venv/bin/)?opsbot ([a-z].*)", code):
            words = tuple(re.sub(r"…|\"", " ", match[1]).split())
            wrong += [(page, code, found) for found in problems_of(words)]
        elif (match := re.match(r"/k8s ([a-z0-9]+)", code)) and match[1] not in names:
            wrong.append((page, code, f"{match[1]} is no command"))
    assert wrong == []


# Settings of other programs and of the compose file, and an error's name.
FOREIGN = re.compile(
    r"OTEL_|OLLAMA_(?:MODELS|NUM_PARALLEL)|KUBECONFIG_FILE|KNOWLEDGE_DIR|POSTGRES_PASSWORD|ERR_"
)


def test_what_a_sentence_calls_a_setting_is_one() -> None:
    known = {name.upper() for name in Settings.model_fields}
    wrong = [
        (page, match[1])
        for page, code in INLINE
        if (match := re.match(r"([A-Z]+(?:_[A-Z]+)+)(?:=|$)", code))
        and match[1] not in known
        and not FOREIGN.match(match[1])
    ]
    assert wrong == []


def test_what_a_sentence_calls_a_file_of_ours_is_there() -> None:
    folders = "bot|cluster|core|deploy|digest|docs|evals|knowledge|sandbox|state|tests"
    wrong = [
        (page, code)
        for page, code in INLINE
        if re.fullmatch(rf"(?:{folders})/[\w./-]+", code)
        and "NAME" not in code
        and not (ROOT / code).exists()
    ]
    assert wrong == []


def test_files_that_commands_name_are_there() -> None:
    named = [
        (row.page, word)
        for row in SHOWN
        for word in re.split(r"[\s=@'\"]", row.text)
        if re.match(r"(?:deploy|docs|evals|sandbox)/\S|requirements\S*\.txt|\.env\.example", word)
    ]
    # `deploy/opsbot` is a Deployment to kubectl.
    missing = [row for row in named if row[1] != "deploy/opsbot" and not (ROOT / row[1]).exists()]
    assert missing == []


@pytest.fixture
async def clone(tmp_path: Path) -> AsyncIterator[tuple[Path, dict[str, str]]]:
    """A folder that looks like a clone after `make demo`, and the environment of its terminal."""
    folder = tmp_path / "k8s-opsbot"
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in LEFT_OUT:
            (folder / entry.name).symlink_to(entry)
    (folder / ".venv" / "bin").mkdir(parents=True)
    opsbot = folder / ".venv" / "bin" / "opsbot"
    opsbot.write_text(f'#!/bin/sh\nexec {sys.executable} -m bot "$@"\n')
    opsbot.chmod(0o755)
    async with run_cluster() as cluster:
        yield (
            folder,
            clean_environment(
                KUBECONFIG=str(cluster.kubeconfig(tmp_path / "kubeconfig")),
                EMBED_MODEL="none",
                HOME=str(tmp_path),
            ),
        )


@pytest.mark.parametrize("page", sorted({command.page for command in SHOWN if is_run(command)}))
async def test_a_pages_commands_work_one_after_another(
    page: str, clone: tuple[Path, dict[str, str]]
) -> None:
    folder, environment = clone
    for command in commands(ROOT / page):
        if is_run(command):
            process = await asyncio.create_subprocess_exec(
                "bash", "-c", command.text, cwd=folder, env=environment,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            out, _ = await asyncio.wait_for(process.communicate(), timeout=60)
            assert process.returncode == 0, f"{command.text}: {out.decode()}"


async def test_what_curl_asks_of_the_local_workspace_is_answered() -> None:
    asked = [command.words for command in UNMARKED if program(command) == "curl"]
    assert asked
    async with run_workspace() as running, aiohttp.ClientSession() as session:
        for words in asked:
            (address,) = [word for word in words if word.startswith("localhost:8765/")]
            data = words[words.index("-d") + 1] if "-d" in words else None
            url = running.url + address.removeprefix("localhost:8765")
            async with session.request("POST" if data else "GET", url, data=data) as response:
                assert response.status == 200, words
                assert json.loads(await response.text())["ok"], words
