"""What goes into a thread beside an answer: a document, pictures, the end of a long text."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace
from datetime import tzinfo

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks import notices
from bot.blocks.answer import AnswerLayout
from bot.charts import Chart, charts_of
from bot.files import Upload, upload
from bot.mrkdwn import escape
from bot.notices import SLACK_FAILURES, SlackError
from bot.people import People
from bot.surfaces import Place
from bot.thread_tasks import DOCUMENTS
from core.answers import Answer

log = logging.getLogger(__name__)

_TODO = re.compile(r"\bTODO\b")
_MOST_PICTURES = 2


class Attachments:
    """Files of answers; what cannot be uploaded is said, and never takes the answer away.

    Args:
        client: Speaks to Slack.
        people: Know in which time zone the asker reads.
        zone: For those whose zone nobody knows.
    """

    def __init__(self, client: AsyncWebClient, people: People, zone: tzinfo) -> None:
        self._client = client
        self._people = people
        self._zone = zone

    async def as_file(self, place: Place, answer: Answer, reference: str) -> Answer:
        """The answer to show: of a document its summary, once the document is in the thread."""
        title = DOCUMENTS.get(answer.task)
        if title is None or not answer.is_grounded:
            return answer
        name = f"{answer.task}-{reference}.md"
        file = Upload(name, title, document_of(answer).encode())
        try:
            await upload(self._client, place.channel, place.thread_ts, file)
        except SlackError as error:
            log.warning("%s is posted as text: %s", name, error)
            note = f"This is a message and no file: {error.wrong}. {error.remedy}"
            return replace(answer, notes=(*answer.notes, note))
        told = f"**{title}** as a file in this thread; it quotes {len(answer.citations)} messages."
        left = len(_TODO.findall(answer.text.partition("\n## ")[2]))
        if left:
            told += f" {left} places in it are marked TODO: nobody said what belongs there."
        return replace(answer, text=told)

    async def follow(
        self, place: Place, answer: Answer, layout: AnswerLayout, reference: str
    ) -> None:
        """Put what does not fit into the answer's messages below them."""
        try:
            await self._pictures(place, answer)
            if layout.is_shortened:
                await self._whole_text(place, answer, reference)
        except SLACK_FAILURES as error:
            log.warning("nothing follows answer %s: %s", reference, error)

    async def _pictures(self, place: Place, answer: Answer) -> None:
        """Charts of the metrics that the answer cites; their sparklines are in its text."""
        charts = charts_of(answer)[:_MOST_PICTURES]
        if not charts:
            return
        zone = (await self._people.person(place.user)).zone or self._zone
        for chart in charts:
            try:
                file = await asyncio.to_thread(picture_of, chart, zone)
                await upload(self._client, place.channel, place.thread_ts, file)
            except SlackError as error:
                log.warning("no picture beside an answer in %s: %s", place.channel, error)
                return

    async def _whole_text(self, place: Place, answer: Answer, reference: str) -> None:
        file = Upload(f"answer-{reference}.md", "The whole answer", document_of(answer).encode())
        try:
            await upload(self._client, place.channel, place.thread_ts, file)
        except SlackError as error:
            told = f"The rest of the answer could not follow as a file: {error.wrong}."
            message = notices.hint(escape(told), escape(error.remedy))
            await self._client.chat_postMessage(
                channel=place.channel,
                thread_ts=place.thread_ts,
                **message.arguments(),
            )


def document_of(answer: Answer) -> str:
    """An answer as a Markdown file: its `[n]` are references, told at the end."""
    places = "\n".join(
        f"[{each.number}]: {each.url}" if each.url else f"[{each.number}] {each.location}"
        for each in answer.citations
    )
    return f"{answer.text.rstrip()}\n\n{places}".rstrip() + "\n"


def picture_of(chart: Chart, zone: tzinfo) -> Upload:
    """A chart as a file; takes a moment of the processor, so call it in a thread."""
    return Upload(chart.file_name, chart.title, chart.png(zone), chart.alt_text(zone))
