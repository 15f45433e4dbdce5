from __future__ import annotations

from typing import Any

import pytest

from bot.blocks import notices, parts
from bot.blocks.answer import lay_out
from bot.blocks.digest import digest_message
from bot.notices import SlackError
from bot.replies import USES, Reply
from tests.bot.bench import Bench, seen
from tests.bot.samples import NOW, answer, digest, item


async def reply_of(bench: Bench) -> Reply:
    """A way back that the app has not used."""
    return Reply(await bench.response_url(), bench.client)


async def test_a_use_is_kept_for_telling_of_a_failure(bench: Bench) -> None:
    reply = await reply_of(bench)
    for _ in range(USES):
        await reply.send(notices.stopped())
    with pytest.raises(SlackError, match="used up"):
        await reply.send(notices.stopped())
    await reply.fail(notices.problem("It failed.", "", "ab12"))
    assert len(bench.ephemerals()) == USES + 1
    assert "It failed." in seen(bench.ephemerals()[-1])


async def test_blocks_that_are_refused_are_sent_plainly(bench: Bench) -> None:
    reply = await reply_of(bench)
    built = lay_out(answer("a && b <none>\n\n```\nx\n```"), "ab12", NOW).messages()[0]
    bench.fault(kind="error", method="response_url", error="invalid_blocks")
    await reply.send(built)
    (told,) = bench.ephemerals()
    assert [block["type"] for block in told["blocks"]] == ["section", "context", "context"]
    assert "a &amp;&amp; b &lt;none&gt;" in told["blocks"][0]["text"]["text"]
    assert reply.uses == 2


async def test_a_table_that_is_refused_is_sent_as_text(bench: Bench) -> None:
    reply = await reply_of(bench)
    bench.fault(kind="error", method="response_url", error="invalid_blocks")
    await reply.send(digest_message(digest(item()), "/k8s"))
    (told,) = bench.ephemerals()
    assert "shop/payments | 14× (+6)" in seen(told)


async def test_a_refusal_that_stays_is_an_error(bench: Bench) -> None:
    reply = await reply_of(bench)
    bench.fault(kind="error", method="response_url", error="no_text", times=2)
    with pytest.raises(SlackError, match="Slack answered"):
        await reply.send(parts.message("x", [parts.section("x")]))


async def test_a_failure_that_cannot_be_told_is_raised(bench: Bench) -> None:
    reply = await reply_of(bench)
    bench.fault(kind="error", method="response_url", error="expired_url", times=2)
    with pytest.raises(SlackError, match="expired_url"):
        await reply.fail(notices.stopped())


async def test_unfurling_is_off(bench: Bench) -> None:
    reply = await reply_of(bench)
    await reply.send(notices.stopped(), in_channel=True)
    (call,) = bench.calls("response_url")
    sent: dict[str, Any] = call["arguments"]
    assert (sent["unfurl_links"], sent["unfurl_media"]) == (False, False)
