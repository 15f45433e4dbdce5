"""A press of a button: taken once, by somebody who may, and noted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot.access import Action, Asker
from bot.blocks.parts import Message
from bot.edge import Edge
from bot.interrupted import Underway, new_answer
from bot.listeners import asking
from bot.listeners.asking import Question
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
        return _thread_of(self.body["container"])

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
        argument: For the note, where several buttons are one command.
    """

    command: str
    press: Callable[[Click], Awaitable[None]]
    is_seen_by_all: Callable[[Mapping[str, Any]], bool] = _never
    argument: str = ""


@dataclass(frozen=True, slots=True)
class AskingButton:
    """A button that asks something; `bot.answering` notes it, as it notes every answer.

    Attributes:
        command: What one must be allowed to do; see `bot.access`.
        ask: Has it answered.
        is_seen_by_all: Whether others see what it brings, by the payload.
    """

    command: str
    ask: Callable[[Click, Underway], Awaitable[None]]
    is_seen_by_all: Callable[[Mapping[str, Any]], bool] = _never


def listen(app: AsyncApp, edge: Edge, buttons: Mapping[str, Button]) -> None:
    """Listen to buttons, by their action's id."""

    async def on_action(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        if not await edge.is_new(key_of_click(body)):
            return
        button = buttons[body["actions"][0]["action_id"]]
        click = await _admitted(edge, body, context.bot_user_id or "", button)
        if click is not None:
            with edge.audited(click.asker, button.command, button.argument):
                await button.press(click)

    for action_id in buttons:
        app.action(action_id)(on_action)


def listen_to_questions(app: AsyncApp, edge: Edge, buttons: Mapping[str, AskingButton]) -> None:
    """Listen to buttons that ask, by their action's id."""

    async def answer(body: dict[str, Any], bot_user: str, opened: Underway) -> None:
        button = buttons[body["actions"][0]["action_id"]]
        click = await _admitted(edge, body, bot_user, button)
        if click is not None:
            await button.ask(click, opened)

    for action_id in buttons:
        asking.listen(partial(app.action, action_id), edge, _read, answer)


def key_of_click(body: Mapping[str, Any]) -> str:
    """What makes a press the same as another."""
    return f"action:{body['trigger_id']}"


def _read(body: Mapping[str, Any], _: str) -> Question:
    channel, container = str(body["channel"]["id"]), body["container"]
    if container.get("is_ephemeral"):
        url = str(body["response_url"])
        answer = new_answer(channel, response_url=url, is_replaced=True)
    else:
        answer = new_answer(channel, thread_ts=_thread_of(container))
    return Question((key_of_click(body),), answer)


def _thread_of(container: Mapping[str, Any]) -> str:
    return str(container.get("thread_ts") or container["message_ts"])


async def _admitted(
    edge: Edge, body: Mapping[str, Any], bot_user: str, button: Button | AskingButton
) -> Click | None:
    action = Action(button.command, is_seen_by_all=button.is_seen_by_all(body))
    asker = await admit(edge, body, action)
    return Click(edge, asker, body, bot_user) if asker is not None else None


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
