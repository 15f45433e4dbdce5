"""From a question to its one answer message, on every path: fast, streamed, late or failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot import threads
from bot.access import ASK, Asker
from bot.attachments import Attachments
from bot.blocks import notices
from bot.blocks.answer import AnswerLayout, lay_out
from bot.eyes import eyes
from bot.interrupted import underway
from bot.mrkdwn import escape
from bot.notices import explain, new_reference
from bot.people import People
from bot.replies import Reply, ReplySurface
from bot.services import Services
from bot.surfaces import Place, Surface, ThreadSurface
from bot.thread_tasks import THREAD_TASKS
from bot.threads import Thread
from bot.turns import ThreadKey, Turns
from core.answers import Answer, Delta, Done, Progress
from core.errors import OpsbotError, RequestError

log = logging.getLogger(__name__)

# An answer that is there sooner is posted whole; a later one shows what is going on.
_FIRST_SIGN_SECONDS = 0.7
# How long a call to Slack that is under way may hold up a cancellation.
_LAST_CALL_SECONDS = 2.0
# The answerer has the limit for its model; falling back on what it found takes a little longer.
_PATIENCE = 1.15


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


class _StoppedError(Exception):
    """The asker called the answer off."""


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
    render: Callable[[Answer, str], AnswerLayout]
    task: str
    earlier: Thread = field(default_factory=Thread)
    place: Place | None = None


@dataclass(slots=True)
class _Draft:
    """How far the answerer has come."""

    progress: str = ""
    text: str = ""
    answer: Answer | None = None


class Answering:
    """Puts questions to the answerer and shows what comes."""

    def __init__(self, services: Services, client: AsyncWebClient, people: People) -> None:
        self._services = services
        self._client = client
        self._people = people
        self.attachments = Attachments(client, self._people, services.limits.zone)
        self._turns = Turns()
        self._readers: dict[ThreadKey, asyncio.Task[None]] = {}

    def stop(self, thread: ThreadKey) -> bool:
        """Call off the answer that is being worked on in a thread; False when there is none."""
        reader = self._readers.get(thread)
        return reader is not None and reader.cancel()

    async def in_thread(self, ask: Ask) -> None:
        """Answer in a thread, after the questions that were asked there before."""
        channel, thread = ask.asker.channel, ask.place.thread
        store, place = self._services.open_answers, ask.place
        async with (
            underway(store, channel, thread_ts=ask.thread_ts, message_ts=ask.answer_ts) as opened,
            eyes(self._client, channel, ask.message_ts),
        ):
            surface = ThreadSurface(self._client, place, ask.answer_ts, on_posted=opened.show)
            if self._turns.is_busy(thread):
                await surface.wait()
            async with self._turns.take(thread):
                await self._answer_thread(ask, surface)

    async def by_reply(
        self,
        question: str,
        asker: Asker,
        reply: Reply,
        task: str = "",
        *,
        earlier: Thread = Thread(),  # noqa: B008  (frozen)
        has_begun: bool = True,
    ) -> None:
        """Answer the person alone, through a `response_url`.

        Args:
            question: What is asked, or the argument of the task.
            asker: Who asks where, and what they may see.
            reply: The way back to them.
            task: The task that answers, or '' for the chain.
            earlier: What the task tells again.
            has_begun: Whether the person was told already that it is being looked into.
        """

        def render(answer: Answer, reference: str) -> AnswerLayout:
            now = self._services.clock.now()
            return lay_out(answer, reference, now, shows_question=True, offers_share=True)

        surface = ReplySurface(reply, has_begun=has_begun)
        async with underway(
            self._services.open_answers,
            asker.channel,
            thread_ts=reply.thread_ts,
            response_url=reply.url,
            is_replaced=has_begun,
        ):
            await self._run(_Job(question, asker, surface, render, task, earlier))

    async def thread(self, channel: str, thread_ts: str, before_ts: str, bot_user: str) -> Thread:
        """A thread to be told again, up to a message or to its end ('')."""
        return await threads.whole(
            self._client, self._people, channel, thread_ts, before_ts, bot_user
        )

    async def _answer_thread(self, ask: Ask, surface: Surface) -> None:
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
            _Job(ask.question, ask.asker, surface, render, ask.task, earlier, ask.place)
        )

    async def _run(self, job: _Job) -> None:
        reference, began = new_reference(), self._services.clock.now()
        answer: Answer | None = None
        outcome = "failed"
        try:
            answer, outcome = await self._answered(job, reference)
        except asyncio.CancelledError:
            outcome = "interrupted"
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
        except _StoppedError:
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
        await self._keep(reference, job, answer)
        shown = answer
        if job.place is not None:
            shown = await self.attachments.as_file(job.place, answer, reference)
        layout = job.render(shown, reference)
        await job.surface.finish(layout.messages(), layout)
        if job.place is not None:
            await self.attachments.follow(job.place, answer, layout, reference)
        return answer, "answered" if answer.is_grounded else "not_found"

    async def _collect(self, job: _Job) -> Answer:
        """Read the answerer to its end, showing how far it is.

        Raises:
            TimeoutError: It did not end within the limit.
            OpsbotError: It ended without an answer.
            _StoppedError: The asker called it off.
        """
        draft = _Draft()
        reader = asyncio.create_task(self._read(job, draft), name="answer")
        thread = job.place.thread if job.place else None
        if thread:
            self._readers[thread] = reader
        try:
            await self._show_until_done(reader, draft, job.surface)
        finally:
            if thread:
                del self._readers[thread]
            was_stopped = reader.cancelled()
            reader.cancel()
            await asyncio.wait({reader})
        if was_stopped:
            raise _StoppedError
        reader.result()
        if draft.answer is None:
            raise OpsbotError("answer", "the search ended without a result", "Please ask again.")
        return draft.answer

    async def _show_until_done(
        self, reader: asyncio.Task[None], draft: _Draft, surface: Surface
    ) -> None:
        limits = self._services.limits
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limits.answer_timeout_seconds * _PATIENCE
        pause = min(limits.stream_flush_seconds, _FIRST_SIGN_SECONDS)
        while True:
            left = deadline - loop.time()
            await asyncio.wait({reader}, timeout=max(0.0, min(pause, left)))
            if reader.done():
                return
            if loop.time() >= deadline:
                raise TimeoutError
            await _undisturbed(surface.show(draft.progress, draft.text))
            pause = limits.stream_flush_seconds

    async def _read(self, job: _Job, draft: _Draft) -> None:
        services = self._services
        answerer = services.tasks[job.task] if job.task else services.answerer
        async for event in answerer.stream(job.question, job.earlier.turns, job.asker.scope):
            match event:
                case Progress(text):
                    draft.progress = text
                case Delta(text):
                    draft.text += text
                case Done(answer):
                    notes = (
                        (*answer.notes, job.earlier.problem)
                        if job.earlier.problem
                        else answer.notes
                    )
                    draft.answer = replace(answer, task=job.task, notes=notes)

    async def _keep(self, reference: str, job: _Job, answer: Answer) -> None:
        try:
            await self._services.answers.put(reference, job.asker.scope, answer)
        except OpsbotError as error:
            # Sharing and voting will not work for this answer; the answer itself matters more.
            log.warning("answer %s could not be kept: %s", reference, error)


def _unanswered(job: _Job) -> Answer:
    """Keeps the question for another try."""
    return Answer(question=job.question, text="", is_grounded=False, task=job.task)


async def _undisturbed(call: Coroutine[Any, Any, None]) -> None:
    """Let a call to Slack end even when we are cancelled: half done, it would leave a message."""
    task = asyncio.create_task(call, name="show")
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_LAST_CALL_SECONDS)
        raise
