"""From a question to its one answer message, on every path: fast, streamed, late or failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot import threads
from bot.access import ASK, Asker
from bot.attachments import Attachments
from bot.blocks import notices
from bot.blocks.answer import AnswerLayout, asked, lay_out
from bot.blocks.suggestions import offered_instead
from bot.eyes import eyes
from bot.interrupted import Underway
from bot.mrkdwn import escape
from bot.notices import SLACK_FAILURES, SlackError, explain, new_reference, not_posted
from bot.people import People
from bot.replies import Opening, Reply, ReplySurface
from bot.services import Services
from bot.surfaces import Place, Surface, ThreadSurface
from bot.telemetry.errand import errand
from bot.thread_tasks import THREAD_TASKS
from bot.threads import Thread
from bot.turns import ThreadKey, Turns
from bot.unfolding import StoppedError, unfold
from core.answers import Answer, Inquiry
from core.errors import OpsbotError, RequestError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question in a thread.

    Attributes:
        asker: Who asks where, and what they may see.
        message_ts: The message that asks: it gets the eyes, and history ends before it. '' for a
            click on a button.
        has_history: Whether what was said in the thread belongs to the question.
        answer_ts: A message of ours to be replaced by the answer, or ''.
        announces: Whether the answer repeats the question and who asked it.
        task: The task that answers, or '' for the chain.
    """

    question: str
    asker: Asker
    thread_ts: str
    bot_user: str = ""
    message_ts: str = ""
    has_history: bool = True
    answer_ts: str = ""
    announces: bool = False
    task: str = ""

    @property
    def place(self) -> Place:
        """Where it is answered."""
        asker = self.asker
        return Place(asker.team, asker.channel, self.thread_ts, asker.user)


@dataclass(frozen=True, slots=True)
class _Job:
    """A question on its way to one surface.

    Attributes:
        earlier: What was said in its thread.
        place: Where files can follow the answer, and where it can be called off; None for a reply.
    """

    question: str
    asker: Asker
    surface: Surface
    opened: Underway
    render: Callable[[Answer, str], AnswerLayout]
    task: str
    earlier: Thread = field(default_factory=Thread)
    place: Place | None = None


class Answering:
    """Puts questions to the answerer and shows what comes."""

    def __init__(self, services: Services, client: AsyncWebClient, people: People) -> None:
        self._services = services
        self._client = client
        self._people = people
        self.attachments = Attachments(client, self._people, services.limits.zone)
        self._turns = Turns()
        services.watch.meter.queue("turns", lambda: self._turns.waiting)
        self._readers: dict[ThreadKey, asyncio.Task[None]] = {}

    def stop(self, thread: ThreadKey) -> bool:
        """Call off the answer that is being worked on in a thread; False when there is none."""
        reader = self._readers.get(thread)
        return reader is not None and reader.cancel()

    async def in_thread(self, ask: Ask, opened: Underway) -> None:
        """Answer in a thread, after the questions that were asked there before.

        Args:
            ask: The question.
            opened: Its answer as it was written down, which its taker ends.
        """
        channel, thread = ask.asker.channel, ask.place.thread
        await opened.show(thread_ts=ask.thread_ts, message_ts=ask.answer_ts)

        async def on_posted(ts: str) -> None:
            await opened.show(message_ts=ts)

        async with eyes(self._client, channel, ask.message_ts):
            surface = ThreadSurface(
                self._client,
                ask.place,
                opened.key,
                ask.answer_ts,
                on_posted=on_posted,
                on_gone=partial(self._services.watch.meter.dropped, "answer"),
            )
            if self._turns.is_busy(thread):
                await surface.wait()
            async with self._turns.take(thread):
                await self._answer_thread(ask, surface, opened)

    async def by_reply(
        self,
        question: str,
        asker: Asker,
        reply: Reply,
        opened: Underway,
        task: str = "",
        *,
        earlier: Thread = Thread(),  # noqa: B008  (frozen)
        opening: Opening = Opening.NEW,
    ) -> None:
        """Answer the person alone, through a `response_url`.

        Args:
            question: What is asked, or the argument of the task.
            asker: Who asks where, and what they may see.
            reply: The way back to them.
            opened: The answer as it was written down, which its taker ends.
            task: The task that answers, or '' for the chain.
            earlier: What the task tells again.
            opening: How it begins, and what it takes the place of.
        """

        def render(answer: Answer, reference: str) -> AnswerLayout:
            now = self._services.clock.now()
            return lay_out(answer, reference, now, shows_question=True, offers_share=True)

        surface = ReplySurface(reply, opening)
        await surface.begin(asked(task, question))
        await opened.show(is_replaced=surface.replaces)
        await self._run(_Job(question, asker, surface, opened, render, task, earlier))

    async def thread(self, channel: str, thread_ts: str, before_ts: str, bot_user: str) -> Thread:
        """A thread to be told again, up to a message or to its end ('')."""
        return await threads.whole(
            self._client, self._people, channel, thread_ts, before_ts, bot_user
        )

    async def _answer_thread(self, ask: Ask, surface: Surface, opened: Underway) -> None:
        earlier, channel = Thread(), ask.asker.channel
        if ask.task in THREAD_TASKS:
            earlier = await self.thread(channel, ask.thread_ts, ask.message_ts, ask.bot_user)
        elif ask.has_history:
            earlier = await threads.history(
                self._client, channel, ask.thread_ts, ask.message_ts, ask.bot_user
            )

        def render(answer: Answer, reference: str) -> AnswerLayout:
            by = ask.asker.user if ask.announces else ""
            return lay_out(answer, reference, self._services.clock.now(), asked_by=by)

        await self._run(
            _Job(ask.question, ask.asker, surface, opened, render, ask.task, earlier, ask.place)
        )

    async def _run(self, job: _Job) -> None:
        reference, began = errand().reference or new_reference(), self._services.clock.now()
        answer: Answer | None = None
        outcome = "failed"
        try:
            with self._services.watch.answer(reference, job.task or ASK, job.question):
                answer, outcome = await self._answered(job, reference)
        except asyncio.CancelledError:
            outcome = "interrupted"
            raise
        except (SlackError, *SLACK_FAILURES):
            self._services.watch.meter.dropped("answer")
            raise
        finally:
            self._services.audit.note(
                job.asker.user,
                job.asker.channel,
                job.task or ASK,
                outcome,
                scope=job.asker.scope,
                reference=reference,
                model=answer.model if answer else "",
                seconds=(self._services.clock.now() - began).total_seconds(),
                question=job.question,
            )

    async def _answered(self, job: _Job, reference: str) -> tuple[Answer | None, str]:
        """Answer, or tell why not; gives the answer, and in a word how it ended."""
        try:
            answer = await self._collect(job)
        except StoppedError:
            await job.surface.finish([notices.stopped()])
            return None, "stopped"
        except asyncio.CancelledError:
            await self._keep(reference, job, _unanswered(job))
            interrupted = notices.problem(
                "I was stopped before the answer was ready.",
                "Please ask again in a minute.",
                reference,
                offers_retry=True,
            )
            await job.surface.finish([interrupted])
            await job.opened.end()
            raise
        except RequestError as error:
            told = explain(error, reference)
            slip = notices.hint(escape(told.headline), escape(told.remedy))
            await job.surface.finish([slip])
            return None, "slip"
        except Exception as error:  # whatever fails, the waiting reader is told
            log.exception("question failed, ref %s", reference)
            await self._keep(reference, job, _unanswered(job))
            told = explain(error, reference)
            problem = notices.problem(told.headline, told.remedy, reference, offers_retry=True)
            await job.surface.finish([problem])
            return None, "failed"
        # Kept before it is posted: if posting fails, the work is not lost.
        is_kept = await self._keep(reference, job, answer)
        shown = answer
        if job.place is not None:
            shown = await self.attachments.as_file(job.place, answer, reference)
        layout = job.render(shown, reference)
        if not answer.is_grounded and not job.task:
            scope, suggestions = job.asker.scope, self._services.suggestions
            layout = offered_instead(layout, await suggestions.questions(scope, job.question))
        try:
            with self._services.watch.step("post"):
                await job.surface.finish(layout.messages(), layout)
        except (SlackError, *SLACK_FAILURES) as error:
            if not is_kept:
                raise
            raise not_posted(error, reference, self._services.limits.command) from error
        if job.place is not None:
            await self.attachments.follow(job.place, answer, layout, reference)
        return answer, "answered" if answer.is_grounded else "not_found"

    async def _collect(self, job: _Job) -> Answer:
        """Let it be answered, and shown how far that is; raises what `unfold` does."""
        services = self._services
        answerer = services.tasks[job.task] if job.task else services.answerer
        events = answerer.stream(Inquiry(job.question, job.earlier.turns, job.asker.scope))
        thread = job.place.thread if job.place else None

        def remember(reader: asyncio.Task[None]) -> None:
            if thread:
                self._readers[thread] = reader

        try:
            answer = await unfold(events, job.surface, services.limits, remember)
        finally:
            if thread:
                self._readers.pop(thread, None)
        problem = (job.earlier.problem,) if job.earlier.problem else ()
        return replace(answer, task=job.task, notes=(*answer.notes, *problem))

    async def _keep(self, reference: str, job: _Job, answer: Answer) -> bool:
        try:
            thread_ts = job.place.thread_ts if job.place and answer.text else ""
            asker = job.asker
            await self._services.answers.put(reference, asker.scope, answer, asker.user, thread_ts)
        except OpsbotError as error:
            # Sharing and voting will not work for this answer; the answer itself matters more.
            log.warning("answer %s could not be kept: %s", reference, error)
            return False
        return True


def _unanswered(job: _Job) -> Answer:
    """Keeps the question for another try."""
    return Answer(question=job.question, text="", is_grounded=False, task=job.task)
