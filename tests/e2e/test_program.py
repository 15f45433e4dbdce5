"""Starting, stopping and failing, on the real program."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path

import pytest

from tests.e2e.program import clean_environment, run_command, running_demo


async def test_the_demo_works_over_signed_http_too(tmp_path: Path) -> None:
    async with running_demo(tmp_path / "data", SLACK_MODE="http") as demo:
        answer = await demo.ask("who owns checkout?")
        assert "orders" in answer["text"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_it_stops_cleanly_and_takes_the_sandbox_along(
    tmp_path: Path, how: signal.Signals
) -> None:
    async with running_demo(tmp_path / "data") as demo:
        port = int(demo.url.rpartition(":")[2])
        assert await demo.stop(how) == 0
        assert "Traceback" not in demo.printed
        with pytest.raises(OSError, match=r"."):
            await asyncio.open_connection("127.0.0.1", port)


async def test_a_killed_demo_takes_the_sandbox_along_and_starts_again(tmp_path: Path) -> None:
    async with running_demo(tmp_path / "data") as demo:
        port = int(demo.url.rpartition(":")[2])
        demo.process.kill()
        await demo.process.wait()
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                break
            writer.close()
            await asyncio.sleep(0.1)
        else:
            pytest.fail("the sandbox outlived the demo")
        async with running_demo(tmp_path / "data") as again:
            assert "payments" in (await again.ask("who owns payments?"))["text"]
        demo.expected_code = -signal.SIGKILL


async def test_run_without_tokens_says_what_to_do(tmp_path: Path) -> None:
    code, _, err = await run_command("run", environment=clean_environment(), folder=tmp_path)
    assert code == 1
    assert "SLACK_BOT_TOKEN is not set" in err
    assert "opsbot demo" in err
    assert "Traceback" not in err


async def test_a_wrong_setting_stops_the_start_by_name(tmp_path: Path) -> None:
    environment = clean_environment(DIGEST_CRON="every morning")
    code, _, err = await run_command("run", environment=environment, folder=tmp_path)
    assert code == 1
    assert re.search(r"DIGEST_CRON is 'every morning'.*five fields", err)
    code, out, _ = await run_command("doctor", "--json", environment=environment, folder=tmp_path)
    assert code == 1
    assert re.search(r"DIGEST_CRON is 'every morning'.*five fields", out)


async def test_ask_without_anything_set_up_says_what_is_missing(tmp_path: Path) -> None:
    code, out, _ = await run_command(
        "ask", "why is it slow?", environment=clean_environment(HOME=str(tmp_path)), folder=tmp_path
    )
    assert code == 3
    assert "KNOWLEDGE_SOURCES" in out


async def test_help_comes_without_loading_the_heavy_parts(tmp_path: Path) -> None:
    code, out, _ = await run_command("--help", environment=clean_environment(), folder=tmp_path)
    assert code == 0
    assert "doctor" in out
    environment = clean_environment(PYTHONPROFILEIMPORTTIME="1")
    _, _, imports = await run_command("--help", environment=environment, folder=tmp_path)
    loaded = {line.rpartition("|")[2].strip() for line in imports.splitlines()}
    assert not loaded & {"langchain_core", "qdrant_edge", "duckdb", "slack_bolt", "onnxruntime"}
