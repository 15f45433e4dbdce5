"""From a question to its one answer message, on every path: fast, streamed, late or failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot import threads
from bot.blocks import notices
from bot.blocks.answer import AnswerLayout, lay_out
from bot.mrkdwn import escape
from bot.notices import SLACK_FAILURES, explain, new_reference
from bot.replies import Reply
from bot.services import Services
from bot.surfaces import Place, ReplySurface, Surface, ThreadSurface
from bot.turns import ThreadKey, Turns
from core.answers import Answer, Delta, Done, Progress, Scope, Turn
from core.errors import OpsbotError, RequestError

log = logging.getLogger(__name__)

# An answer that is there sooner is posted whole; a later one shows what is going on.
_FIRST_SIGN_SECONDS = 0.7
# How long a call to Slack that is under way may hold up a cancellation.
_LAST_CALL_SECONDS = 2.0
# The answerer has the limit for its model; falling back on what it found takes a little longer.
_PATIENCE = 1.15
_THREAD_UNREAD = "I could not read the earlier messages of this thread."


@dataclass(frozen=True, slots=True)
class Ask:
    """A question in a thread.

    Attributes:
        message_ts: The message that asks: it gets the eyes, and history ends before it. '' for a
            click on a button.
        has_history: Whether what was said in the thread belongs to the question.
        answer_ts: A message of ours to be replaced by the answer, or ''.
        announces: Whether the answer repeats the question and who asked it.
        task: The task that answers, or '' for the chain.
    """

    question: str
    team: str
    channel: str
    thread_ts: str
    user: str
    bot_user: str = ""
    message_ts: str = ""
    has_history: bool = True
    answer_ts: str = ""
    announces: bool = False
    task: str = ""

    @property
    def thread(self) -> ThreadKey:
        """Where questions wait for each other."""
        return (self.team, self.channel, self.thread_ts)


class _StoppedError(Exception):
    """The asker called the answer off."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A question on its way to one surface. `thread` is set where it can be called off."""

    question: str
    channel: str
    surface: Surface
    render: Callable[[Answer, str], AnswerLayout]
    task: str
    history: Sequence[Turn] = ()
    thread: ThreadKey | None = None


@dataclass(slots=True)
class _Draft:
    """How far the answerer has come."""

    progress: str = ""
    text: str = ""
    answer: Answer | None = None


class Answering:
    """Puts questions to the answerer and shows what comes."""

    def __init__(self, services: Services, client: AsyncWebClient) -> None:
        self._services = services
        self._client = client
        self._turns = Turns()
        self._readers: dict[ThreadKey, asyncio.Task[None]] = {}

    def stop(self, thread: ThreadKey) -> bool:
        """Call off the answer that is being worked on in a thread; False when there is none."""
        reader = self._readers.get(thread)
        return reader is not None and reader.cancel()

    async def in_thread(self, ask: Ask) -> None:
        """Answer in a thread, after the questions that were asked there before."""
        place = Place(ask.team, ask.channel, ask.thread_ts, ask.user)
        surface = ThreadSurface(self._client, place, ask.answer_ts)
        thread = ask.thread
        async with self._eyes(ask.channel, ask.message_ts):
            if self._turns.is_busy(thread):
                await surface.wait()
            async with self._turns.take(thread):
                await self._answer_thread(ask, surface)

    async def by_reply(self, question: str, channel: str, reply: Reply, task: str = "") -> None:
        """Answer the person alone, through a `response_url`; by a task where one is named."""

        def render(answer: Answer, reference: str) -> AnswerLayout:
            now = self._services.clock.now()
            return lay_out(answer, reference, now, shows_question=True, offers_share=True)

        await self._run(_Job(question, channel, ReplySurface(reply), render, task))

    async def _answer_thread(self, ask: Ask, surface: Surface) -> None:
        earlier: tuple[Turn, ...] | None = ()
        if ask.has_history:
            earlier = await threads.history(
                self._client, ask.channel, ask.thread_ts, ask.message_ts, ask.bot_user
            )

        def render(answer: Answer, reference: str) -> AnswerLayout:
            told = answer
            if earlier is None:
                told = replace(answer, notes=(*answer.notes, _THREAD_UNREAD))
            by = ask.user if ask.announces else ""
            return lay_out(told, reference, self._services.clock.now(), asked_by=by)

        history = earlier or ()
        await self._run(
            _Job(ask.question, ask.channel, surface, render, ask.task, history, ask.thread)
        )

    async def _run(self, job: _Job) -> None:
        reference = new_reference()
        try:
            answer = await self._collect(job)
        except _StoppedError:
            await job.surface.finish([notices.stopped()])
            return
        except asyncio.CancelledError:
            await self._keep(reference, job.channel, _unanswered(job))
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
            return
        except Exception as error:  # whatever fails, the waiting reader is told
            log.exception("question failed, ref %s", reference)
            await self._keep(reference, job.channel, _unanswered(job))
            told = explain(error, reference)
            problem = notices.problem(told.headline, told.remedy, reference, offers_retry=True)
            await job.surface.finish([problem])
            return
        # Kept before it is posted: if posting fails, the work is not lost.
        await self._keep(reference, job.channel, answer)
        layout = job.render(answer, reference)
        await job.surface.finish(layout.messages(), layout)

    async def _collect(self, job: _Job) -> Answer:
        """Read the answerer to its end, showing how far it is.

        Raises:
            TimeoutError: It did not end within the limit.
            OpsbotError: It ended without an answer.
            _StoppedError: The asker called it off.
        """
        draft = _Draft()
        reader = asyncio.create_task(self._read(job, draft), name="answer")
        if job.thread:
            self._readers[job.thread] = reader
        try:
            await self._show_until_done(reader, draft, job.surface)
        finally:
            if job.thread:
                del self._readers[job.thread]
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
        async for event in answerer.stream(job.question, job.history, Scope()):
            match event:
                case Progress(text):
                    draft.progress = text
                case Delta(text):
                    draft.text += text
                case Done(answer):
                    draft.answer = replace(answer, task=job.task)

    async def _keep(self, reference: str, channel: str, answer: Answer) -> None:
        try:
            await self._services.answers.put(reference, channel, answer)
        except OpsbotError as error:
            # Sharing and voting will not work for this answer; the answer itself matters more.
            log.warning("answer %s could not be kept: %s", reference, error)

    @asynccontextmanager
    async def _eyes(self, channel: str, message_ts: str) -> AsyncIterator[None]:
        """Eyes on the message that asks while it is being answered, if the app may react."""
        if not message_ts:
            yield
            return
        named = {"channel": channel, "timestamp": message_ts, "name": "eyes"}
        adding = asyncio.create_task(
            _best_effort(lambda: self._client.reactions_add(**named)), name="eyes"
        )
        try:
            yield
        finally:
            if await adding:
                await _best_effort(lambda: self._client.reactions_remove(**named))


def _unanswered(job: _Job) -> Answer:
    """Keeps the question for another try."""
    return Answer(question=job.question, text="", is_grounded=False, task=job.task)


async def _best_effort(call: Callable[[], Awaitable[Any]]) -> bool:
    try:
        await call()
    except SLACK_FAILURES as error:
        log.debug("left undone: %s", error)
        return False
    return True


async def _undisturbed(call: Coroutine[Any, Any, None]) -> None:
    """Let a call to Slack end even when we are cancelled: half done, it would leave a message."""
    task = asyncio.create_task(call, name="show")
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_LAST_CALL_SECONDS)
        raise
