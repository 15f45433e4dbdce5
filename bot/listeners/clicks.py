"""A press of a button: taken once, by somebody who may, and noted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot.access import Action, Asker
from bot.blocks.parts import Message
from bot.edge import Edge
from bot.listeners.incoming import visit_of_click, visit_of_view
from bot.replies import Reply

Tell = Callable[[Message], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody who may do so pressed a button, or chose from a menu."""

    edge: Edge
    asker: Asker
    body: Mapping[str, Any]
    bot_user: str

    @property
    def value(self) -> str:
        """The button's, or that of the chosen option."""
        clicked = self.body["actions"][0]
        chosen = clicked.get("selected_option") or clicked
        return str(chosen["value"])

    @property
    def name(self) -> str:
        """What the person is called."""
        return name_of(self.body["user"])

    @property
    def thread_ts(self) -> str:
        """The thread that the message stands in, or begins."""
        container = self.body["container"]
        return str(container.get("thread_ts") or container["message_ts"])

    def reply(self, thread_ts: str = "") -> Reply:
        """The way back to the person."""
        return self.edge.reply(str(self.body["response_url"]), thread_ts)


def _never(_: Mapping[str, Any]) -> bool:
    return False


def always(_: Mapping[str, Any]) -> bool:
    """What it brings is for the whole channel."""
    return True


def unless_private(body: Mapping[str, Any]) -> bool:
    """What it brings is for those who see the message that it stands under."""
    return not body["container"].get("is_ephemeral")


@dataclass(frozen=True, slots=True)
class Button:
    """What a button does.

    Attributes:
        command: What one must be allowed to do; see `bot.access`.
        press: Does it.
        is_seen_by_all: Whether others see what it brings, by the payload.
        is_answer: `bot.answering` notes it, as it notes every answer.
        argument: For the note, where several buttons are one command.
    """

    command: str
    press: Callable[[Click], Awaitable[None]]
    is_seen_by_all: Callable[[Mapping[str, Any]], bool] = _never
    is_answer: bool = False
    argument: str = ""


def listen(app: AsyncApp, edge: Edge, buttons: Mapping[str, Button]) -> None:
    """Listen to buttons, by their action's id."""

    async def on_action(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        if not await edge.is_new(f"action:{body['trigger_id']}"):
            return
        button = buttons[body["actions"][0]["action_id"]]
        action = Action(button.command, is_seen_by_all=button.is_seen_by_all(body))
        asker = await admit(edge, body, action)
        if asker is None:
            return
        click = Click(edge, asker, body, context.bot_user_id or "")
        if button.is_answer:
            await button.press(click)
            return
        with edge.audited(asker, button.command, button.argument):
            await button.press(click)

    for action_id in buttons:
        app.action(action_id)(on_action)


async def admit(edge: Edge, body: Mapping[str, Any], action: Action) -> Asker | None:
    """Let in who pressed a button; None once they were told why not."""
    reply = edge.reply(str(body["response_url"]))
    return await edge.admit(visit_of_click(body), action, reply.send)


async def admit_view(
    edge: Edge, body: Mapping[str, Any], place: Mapping[str, str], command: str
) -> tuple[Asker | None, Tell]:
    """Let in who sent a modal off, as its button did; and the way to tell them something.

    `place` is what the modal was opened with: "channel" and "thread_ts".
    """
    user = str(body["user"]["id"])

    async def tell(message: Message) -> None:
        await edge.client.chat_postEphemeral(
            channel=place["channel"],
            user=user,
            thread_ts=place["thread_ts"] or None,
            **message.arguments(),
        )

    return await edge.admit(visit_of_view(body, place["channel"]), Action(command), tell), tell


def name_of(user: Mapping[str, Any]) -> str:
    """What a payload calls a person."""
    return str(user.get("name") or user.get("username") or "")
