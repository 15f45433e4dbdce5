"""What listeners and commands work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from slack_sdk.web.async_client import AsyncWebClient

from bot.access import Action, Asker, Refused
from bot.answering import Answering
from bot.blocks import notices
from bot.blocks.parts import Message
from bot.deliveries import SlackDeliveries
from bot.gate import Gate, Visit
from bot.intake import Intake
from bot.interrupted import Underway
from bot.replies import Reply
from bot.services import Services
from core.answers import OpenAnswer


@dataclass(frozen=True, slots=True)
class Edge:
    """The Slack edge: our services, Slack's client, who may come in, and how to answer."""

    services: Services
    client: AsyncWebClient
    gate: Gate
    answering: Answering
    deliveries: SlackDeliveries
    intake: Intake = field(default_factory=Intake)

    def reply(self, response_url: str, thread_ts: str = "") -> Reply:
        """The way back to a person who typed a command or pressed a button, maybe in a thread."""
        return Reply(response_url, self.client, thread_ts)

    async def say(self, channel: str, message: Message, thread_ts: str = "") -> str:
        """Post a message, into a thread where one is named; gives its ts.

        Raises:
            SlackApiError, aiohttp.ClientError: It was not posted, or nobody knows whether it was.
        """
        posted = await self.client.chat_postMessage(
            channel=channel, thread_ts=thread_ts or None, **message.arguments()
        )
        return str(posted["ts"])

    async def is_new(self, *keys: str) -> bool:
        """Claim every key of a delivery; False when any of them was seen before."""
        is_new = await self.deliveries.is_new(*keys)
        self.services.watch.meter.delivered(is_new=is_new)
        return is_new

    async def take(self, keys: Sequence[str], answer: OpenAnswer) -> Underway | None:
        """Take a delivery that asks; None when it was seen before."""
        opened = await self.deliveries.take(keys, answer)
        self.services.watch.meter.delivered(is_new=opened is not None)
        return opened

    async def admit(
        self, visit: Visit, action: Action, tell: Callable[[Message], Awaitable[object]]
    ) -> Asker | None:
        """Let somebody in, with what they may see; None once they were told why not.

        `tell` shows a message to this person alone.
        """
        verdict = await self.gate.judge(visit, action)
        policy, audit = self.gate.policy, self.services.audit
        if isinstance(verdict, Refused):
            outcome = f"refused: {verdict.reason}"
            audit.note(visit.user, visit.channel, action.command, outcome)
            whom = f"<@{policy.owner}>" if policy.owner else "whoever runs this bot"
            await tell(notices.hint(verdict.words, f"If that is wrong, ask {whom}."))
            return None
        return Asker(policy.home_team or visit.team, visit.channel, visit.user, verdict.scope)

    @contextmanager
    def audited(self, asker: Asker, command: str, argument: str = "") -> Iterator[None]:
        """Note an action that is no answer (answers are noted by `bot.answering`) once it ends."""
        began, outcome = self.services.clock.now(), "failed"
        try:
            yield
            outcome = "done"
        finally:
            self.services.audit.note(
                asker.user,
                asker.channel,
                command,
                outcome,
                scope=asker.scope,
                seconds=(self.services.clock.now() - began).total_seconds(),
                question=argument,
            )
