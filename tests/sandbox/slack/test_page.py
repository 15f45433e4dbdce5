"""The workspace's page in a real Chromium, with a Bolt app of the tests' own behind it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import ConsoleMessage, Page, expect
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from tests.chromium import open_chromium
from tests.sandbox.slack.conftest import Bench, open_bench

pytestmark = pytest.mark.browser
Json = dict[str, Any]


@dataclass
class Browsing:
    """A page open on a workspace; `complaints` are its errors and requests to other hosts."""

    bench: Bench
    page: Page
    complaints: list[str]

    async def show(self, place: str = "") -> None:
        await self.page.goto(f"{self.bench.running.url}/{place}")
        await expect(self.page.locator("#acting-as")).to_have_value("UYOU")


@pytest.fixture
async def browsing() -> AsyncIterator[Browsing]:
    async with open_bench("socket") as bench, open_chromium() as browser:
        bench.app.event(re.compile(".*"))(ignore)
        context = await browser.new_context(
            viewport={"width": 1280, "height": 800}, timezone_id="Asia/Tokyo", locale="en-GB"
        )
        page = await context.new_page()
        found = Browsing(bench, page, [])
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("console", lambda line: note_error(found, line))
        page.on("request", lambda request: note_far(found, request.url))
        yield found
        assert found.complaints == []


def note_error(browsing: Browsing, line: ConsoleMessage) -> None:
    if line.type == "error":
        browsing.complaints.append(line.text)


def note_far(browsing: Browsing, url: str) -> None:
    if not url.startswith((browsing.bench.running.url, "data:")):
        browsing.complaints.append(f"asked another host: {url}")


async def ignore() -> None:
    """Confirms every event."""


def button(text: str, action_id: str) -> Json:
    words = {"type": "plain_text", "text": text}
    return {"type": "button", "action_id": action_id, "text": words, "value": "v"}


async def test_a_newcomer_is_shown_three_things_to_try(browsing: Browsing) -> None:
    asked: list[str] = []

    @browsing.bench.app.command("/k8s")
    async def on_command(ack: AsyncAck, respond: AsyncRespond, command: Json) -> None:
        await ack()
        asked.append(command["text"])
        await respond(
            "Found it",
            blocks=[
                {"type": "section", "text": {"type": "mrkdwn", "text": "*Found* it"}},
                {"type": "actions", "elements": [button("Share to channel", "share")]},
            ],
        )

    @browsing.bench.app.action("share")
    async def on_share(ack: AsyncAck, respond: AsyncRespond, client: AsyncWebClient) -> None:
        await ack()
        await client.chat_postMessage(channel="CGENERAL", text="Shared with everyone")
        await respond(delete_original=True)

    await browsing.show()
    page = browsing.page
    await expect(page.locator("#connection")).to_have_text("opsbot connected")
    await expect(page.locator(".try")).to_have_count(3)
    await page.get_by_text("why does payments keep restarting?").click()
    composer = page.get_by_label("Message #general")
    await expect(composer).to_have_value("/k8s ask why does payments keep restarting?")
    await composer.press("Enter")
    ephemeral = page.locator(".ephemeral")
    await expect(ephemeral).to_contain_text("Only visible to you")
    await expect(ephemeral.locator("strong", has_text="Found")).to_be_visible()
    await ephemeral.get_by_role("button", name="Share to channel").click()
    await expect(page.locator(".message")).to_contain_text(["Shared with everyone"])
    await expect(ephemeral).to_have_count(0)
    assert asked == ["ask why does payments keep restarting?"]


async def test_an_answer_streams_into_the_open_thread(browsing: Browsing) -> None:
    await browsing.show("#COPS")
    page, client = browsing.page, browsing.bench.client
    composer = page.get_by_label("Message #ops")
    await composer.press_sequentially("@ops")
    await expect(page.locator("#suggestions-channel li")).to_contain_text("@opsbot")
    await composer.press("Tab")
    await composer.press_sequentially("why?")
    await composer.press("Enter")
    await expect(page.locator("#messages .mention")).to_have_text("@opsbot")
    (message,) = (await browsing.bench.look("messages", channel="ops"))["messages"]
    started = await client.chat_startStream(
        channel="COPS",
        thread_ts=message["ts"],
        recipient_user_id="UYOU",
        recipient_team_id="TFENWICK",
        chunks=[{"type": "task_update", "id": "1", "title": "Reading logs", "status": "complete"}],
    )
    await page.get_by_role("button", name="1 reply").click()
    thread = page.locator("#thread")
    await expect(thread.locator(".streaming .task-card")).to_contain_text("Reading logs")
    place: Json = {"channel": "COPS", "ts": started["ts"]}
    await client.chat_appendStream(**place, markdown_text="It was **OOM")
    await expect(thread.locator(".markdown")).to_contain_text("It was **OOM")
    await client.chat_appendStream(**place, markdown_text="Killed** | no\n\n| a | b |\n|---|--:|\n")
    await client.chat_stopStream(**place, chunks=[{"type": "markdown_text", "text": "| 1 | 2 |"}])
    await expect(thread.locator(".markdown strong")).to_have_text("OOMKilled")
    await expect(thread.locator(".markdown td.right")).to_have_text("2")
    await expect(thread.locator(".streaming")).to_have_count(0)
    reply = page.get_by_label("Reply…")
    await reply.fill("/k8s status")
    await reply.press("Enter")
    await expect(page.locator(".toast")).to_contain_text("cannot be used in threads")
    await reply.fill("thanks")
    await reply.press("Enter")
    await expect(thread.locator(".message").last).to_contain_text("thanks")
    await page.keyboard.press("Escape")
    await expect(thread).to_be_hidden()


async def test_message_data_never_becomes_markup(browsing: Browsing) -> None:
    evil = "<img src=x onerror=alert(1)> <script>alert(2)</script>"
    address = "[x](javascript:alert(3)) <javascript:alert(4)|y> ![z](https://far.example/z.png)"
    blocks: list[Json] = [
        {"type": "markdown", "text": f"{evil} {address}\n\n```\n{evil}\n```\n| {evil} |\n|---|"},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"{evil} {address}"}},
        {"type": "header", "text": {"type": "plain_text", "text": evil}},
        {"type": "table", "rows": [[{"type": "raw_text", "text": evil}]]},
        {"type": "image", "image_url": "https://far.example/i.png", "alt_text": evil},
    ]
    await browsing.bench.client.chat_postMessage(channel="COPS", text=evil, blocks=blocks)
    await browsing.bench.client.chat_postMessage(channel="COPS", text=evil)
    await browsing.bench.say("ops", evil)
    await browsing.show("#COPS")
    messages = browsing.page.locator("#messages")
    await expect(messages.locator(".message")).to_have_count(3)
    await expect(messages.locator("img, script")).to_have_count(0)
    await expect(messages.locator("a[href^='javascript']")).to_have_count(0)
    await expect(messages.locator(".header")).to_have_text(evil)


async def test_blocks_are_drawn_as_slack_draws_them(browsing: Browsing) -> None:
    rich = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "bold", "style": {"bold": True}},
                    {"type": "emoji", "name": "eyes"},
                ],
            }
        ],
    }
    date = "<!date^1795376027^{date_num} {time}|2026-11-22 19:33 UTC>"
    blocks: list[Json] = [
        {
            "type": "markdown",
            "text": "# Title\n1. one\n   - two\n\n- [x] done\n- [ ] open\n\n> quote\n\n~~old~~ "
            "`code` [link](https://a.example/) &lt;pending&gt; <!here>",
        },
        {"type": "section", "text": {"type": "mrkdwn", "text": f"{date} <@UYOU> <#COPS|ops>"}},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "Head"}], [rich]]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "<https://b.example/|[1]>"}]},
        {"type": "divider"},
    ]
    await browsing.bench.client.chat_postMessage(channel="COPS", text="x", blocks=blocks)
    await browsing.show("#COPS")
    message = browsing.page.locator("#messages .message")
    await expect(message.locator("h3")).to_have_text("Title")
    await expect(message.locator("ol > li > ul > li")).to_have_text("two")
    await expect(message.locator("li.task input")).to_have_count(2)
    await expect(message.locator("li.task input:checked")).to_have_count(1)
    await expect(message.locator("blockquote")).to_have_text("quote")
    await expect(message.locator("s")).to_have_text("old")
    await expect(message.locator(".markdown")).to_contain_text("<pending>")
    await expect(message.locator(".mention.notifies")).to_have_text(["@here", "@you"])
    # Tokyo is nine hours ahead of UTC: the next day has begun there.
    await expect(message.locator("time[title]")).to_have_text("2026-11-23 04:33")
    await expect(message.locator("table th")).to_have_text("Head")
    await expect(message.locator("table td strong")).to_have_text("bold")
    await expect(message.locator(".context a")).to_have_text("[1]")
    await expect(message).to_have_class(re.compile("for-you"))


async def test_feedback_opens_a_modal_that_can_complain(browsing: Browsing) -> None:
    said: list[str] = []
    words = {"type": "plain_text", "text": "x"}
    view = {
        "type": "modal",
        "callback_id": "why",
        "title": {"type": "plain_text", "text": "What was wrong?"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": [
            {
                "type": "input",
                "block_id": "reason",
                "label": {"type": "plain_text", "text": "Reason"},
                "element": {"type": "plain_text_input", "action_id": "text", "placeholder": words},
            }
        ],
    }

    @browsing.bench.app.action("vote")
    async def on_vote(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @browsing.bench.app.view("why")
    async def on_view(ack: AsyncAck, view: Json) -> None:
        value = view["state"]["values"]["reason"]["text"]["value"]
        said.append(value)
        if value == "x":
            await ack(response_action="errors", errors={"reason": "Say more"})
        else:
            await ack()

    feedback = {
        "type": "feedback_buttons",
        "action_id": "vote",
        "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "up"},
        "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "down"},
    }
    await browsing.bench.client.chat_postMessage(
        channel="COPS", text="x", blocks=[{"type": "context_actions", "elements": [feedback]}]
    )
    await browsing.show("#COPS")
    await browsing.page.get_by_role("button", name="Bad").click()
    dialog = browsing.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("What was wrong?")
    await dialog.get_by_label("Reason").fill("x")
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog.get_by_role("alert")).to_have_text("Say more")
    await dialog.get_by_label("Reason").fill("wrong service")
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog).to_have_count(0)
    assert said == ["x", "wrong service"]


async def test_unread_channels_are_marked_and_reset_clears_the_page(browsing: Browsing) -> None:
    await browsing.show()
    page = browsing.page
    await browsing.bench.say("incidents", "checkout is slow", user="tomas")
    await expect(page.locator("#channels .unread")).to_have_text(re.compile("incidents"))
    await page.get_by_role("link", name="incidents, 1 unread").click()
    await expect(page.locator("#messages .message")).to_contain_text("checkout is slow")
    await expect(page.locator("#channels .unread")).to_have_count(0)
    await page.locator("#messages .message").hover()
    await page.get_by_label("React with eyes").click()
    await expect(page.locator(".reaction.own")).to_contain_text("1")
    await page.get_by_label("Acting as").select_option("UINES")
    await expect(page.locator(".reaction.own")).to_have_count(0)
    await browsing.bench.do("reset")
    await expect(page.locator(".try")).to_have_count(3)


async def test_the_home_tab_and_direct_messages_work(browsing: Browsing) -> None:
    view: Json = {
        "type": "home",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "At home"}},
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "action_id": "refresh",
                        "text": {"type": "plain_text", "text": "Refresh"},
                    }
                ],
            },
        ],
    }
    pressed: list[Json] = []

    @browsing.bench.app.action("refresh")
    async def on_refresh(ack: AsyncAck, body: Json) -> None:
        pressed.append(body)
        await ack()

    await browsing.bench.client.views_publish(user_id="UYOU", view=view)
    await browsing.show()
    page = browsing.page
    await page.get_by_role("link", name="opsbot").click()
    await page.get_by_label("Message opsbot").fill("hello")
    await page.get_by_label("Message opsbot").press("Enter")
    await expect(page.locator("#messages .message")).to_contain_text("hello")
    await page.get_by_role("tab", name="Home").click()
    await expect(page.locator(".home h3")).to_have_text("At home")
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.locator(".home .button[aria-busy]")).to_have_count(0)
    assert pressed[0]["container"]["type"] == "view"


async def test_what_other_apps_attach_is_drawn(browsing: Browsing) -> None:
    fields = [{"title": "Service", "value": "ledger"}]
    part = {"color": "danger", "title": "Volume is full", "text": "*97 %* used", "fields": fields}
    await browsing.bench.do("bot_message", channel="general", parts={"attachments": [part]})
    await browsing.show()
    shown = browsing.page.locator(".attachment")
    await expect(shown).to_contain_text("Volume is full")
    await expect(shown.locator("strong").first).to_have_text("97 %")
    await expect(shown).to_contain_text("ledger")
    await expect(shown).to_have_css("border-left-color", "rgb(163, 2, 0)")


async def test_what_one_writes_after_a_long_message_is_in_view(browsing: Browsing) -> None:
    page = browsing.page
    lines = "\n".join(f"line {number}" for number in range(120))
    await browsing.bench.client.chat_postMessage(channel="CGENERAL", text=lines)
    await browsing.show()
    await expect(page.get_by_text("line 0", exact=False).first).to_be_in_viewport()
    composer = page.get_by_role("textbox", name="Message #general")
    await composer.fill("and what now?")
    await composer.press("Enter")
    await expect(page.get_by_text("and what now?")).to_be_in_viewport()


async def test_a_narrow_screen_keeps_everything_in_reach(browsing: Browsing) -> None:
    page = browsing.page
    await page.set_viewport_size({"width": 390, "height": 844})
    parent = await browsing.bench.say("ops", "parent")
    await browsing.bench.client.chat_postMessage(channel="COPS", text="reply", thread_ts=parent)
    await browsing.show()
    await expect(page.locator("#sidebar")).not_to_be_in_viewport()
    await page.get_by_role("button", name="Show channels").click()
    await page.get_by_role("link", name="ops", exact=True).click()
    await expect(page.locator("#sidebar")).not_to_be_in_viewport()
    await page.get_by_role("button", name="1 reply").click()
    await expect(page.locator("#thread .message")).to_have_count(2)
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    await page.get_by_role("button", name="Close thread").click()
    await expect(page.locator("#thread")).to_be_hidden()


async def test_pictures_are_shown_and_text_files_by_their_first_lines(browsing: Browsing) -> None:
    client = browsing.bench.client
    lines = "\n".join(f"<b>line</b> {number}" for number in range(40))
    await client.files_upload_v2(
        channel="COPS", content=lines, filename="notes.md", title="Hand-over"
    )
    pixel = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8"
        "ffff3f0005fe02fe0def46b80000000049454e44ae426082"
    )
    await client.files_upload_v2(
        channel="COPS", content=pixel, filename="chart.png", title="Errors", alt_txt="A pixel"
    )
    await browsing.show("#ops")
    page = browsing.page
    await page.get_by_role("link", name="ops", exact=True).click()
    card = page.locator(".file.card")
    await expect(card.locator("figcaption")).to_contain_text("Hand-over")
    await expect(card.locator(".file-kind")).to_have_text("MD · 589 B")
    await expect(card.locator(".preview")).to_contain_text("<b>line</b> 11")
    await expect(card.locator(".preview")).not_to_contain_text("line</b> 12")
    await expect(page.get_by_role("img", name="A pixel")).to_be_visible()
