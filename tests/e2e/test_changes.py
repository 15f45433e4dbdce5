"""What changed, and an investigation, in the local workspace on the real program."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from tests.e2e.program import running_demo


async def test_changes_and_investigations_by_command_and_by_mention(tmp_path: Path) -> None:
    async with running_demo(tmp_path / "data") as demo:
        changes = (await demo.command("changes payments"))["text"]
        assert re.search(
            r"payments: OOMKilled, 1\d restarts, since (\w{3} \d+ \w{3} )?\d\d:\d\d", changes
        )
        assert "memory limit 512Mi → 256Mi" in changes
        assert "`argocd-controller` ← likely" in changes
        assert "Secrets are not read." in changes
        assert "secret" not in changes.lower().replace("secrets are not read", "")

        report = (await demo.command("investigate payments"))["text"]
        for step in ("Status", "Events", "Logs", "Changes", "Dependencies", "Runbook"):
            assert f"**{step}**" in report, step
        assert "Verdict (likely, not proven)" in report
        assert "OutOfMemoryError" in report
        assert "kubectl -n shop rollout history deployment/payments" in report

        hint = await demo.command(
            "changes paymnts", is_wanted=lambda message: "Did you mean" in message["text"]
        )
        assert "payments" in hint["text"]

        asked, dug = await asyncio.gather(
            demo.mention("what changed before inventory broke?"),
            demo.mention("investigate risk-engine", channel="general"),
        )
        assert "ConfigMap inventory-config" in asked["text"]
        assert "kubectl-edit" in asked["text"]
        assert "Its log speaks of redis, which it needs" in dug["text"]
        assert "made pod redis-0" in dug["text"]
