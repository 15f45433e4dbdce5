"""Who may ask what, and where: one decision, made of values alone, before any work is done.

`bot.gate` finds out who somebody is and what a channel is; `bot.policy` reads the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.answers import Scope

ASK = "ask"
SHARE = "share"
VOTE = "vote"
KEEP = "keep"
STOP = "stop"
MARK = "mark"


class Standing(StrEnum):
    """What somebody is to the workspace that the bot is installed in."""

    MEMBER = "member"
    GUEST = "guest"
    OUTSIDER = "outsider"  # of another organisation, met in a shared channel
    UNKNOWN = "unknown"  # Slack did not tell, or may not be asked


@dataclass(frozen=True, slots=True)
class Actor:
    """Who wants something.

    Attributes:
        user: A Slack user id.
        groups: Ids of those user groups that the policy names and the actor is in.
    """

    user: str
    standing: Standing
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Room:
    """Where it is wanted.

    Attributes:
        id: Of a channel or a direct message.
        is_shared: Whether another organisation is in it; None where nobody knows.
    """

    id: str
    is_direct: bool = False
    is_shared: bool | None = False


@dataclass(frozen=True, slots=True)
class Action:
    """What is wanted.

    Attributes:
        command: A subcommand or a task by its name, or one of the constants above.
        is_seen_by_all: Whether everybody in the room will read the outcome.
    """

    command: str = ASK
    is_seen_by_all: bool = False


@dataclass(frozen=True, slots=True)
class Circle:
    """Some people, by user ids and by ids of user groups; an empty one has nobody in it."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether anybody was named."""
        return bool(self.users or self.groups)

    def has(self, actor: Actor) -> bool:
        """Whether the actor is one of them."""
        return actor.user in self.users or bool(actor.groups & self.groups)


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's rules. Without any, full members of the home workspace may do everything.

    Attributes:
        home_team: The workspace that the bot is installed in, or '' where nobody said.
        channels: Where the bot answers besides direct messages; empty: everywhere.
        people: Whom it answers; empty: every full member.
        guests: Guests and people of other organisations whom it answers all the same.
        shared_channels: Channels shared with another organisation where it may speak.
        alert_channels: Where alerts that other bots post get a reply.
        follow_up_channels: Where a question under an answer needs no mention.
        commands: Who may use a command; one that is not named is for everybody.
        scopes: What may be seen in a channel, by its id.
        default_scope: What may be seen in every other channel.
        direct_scope: What may be seen in direct messages.
        owner: The user whom a refusal names, and who is told what the bot cannot do; may be ''.
    """

    home_team: str = ""
    channels: frozenset[str] = frozenset()
    people: Circle = field(default_factory=Circle)
    guests: frozenset[str] = frozenset()
    shared_channels: frozenset[str] = frozenset()
    alert_channels: frozenset[str] = frozenset()
    follow_up_channels: frozenset[str] = frozenset()
    commands: Mapping[str, Circle] = field(default_factory=dict)
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    default_scope: Scope = field(default_factory=Scope)
    direct_scope: Scope = field(default_factory=Scope)
    owner: str = ""

    @property
    def groups(self) -> frozenset[str]:
        """Every user group that a rule names."""
        circles = (self.people, *self.commands.values())
        return frozenset().union(*(circle.groups for circle in circles))

    def scope_in(self, room: Room) -> Scope:
        """What may be seen in a room."""
        usual = self.direct_scope if room.is_direct else self.default_scope
        return replace(self.scopes.get(room.id, usual), channel=room.id)

    def names(self, user: str) -> bool:
        """Whether this very person was let in, whoever they are to the workspace."""
        return user in self.people.users or user in self.guests


class Reason(StrEnum):
    """Why something was refused, as the log tells it."""

    GUEST = "guest"
    OUTSIDER = "outsider"
    UNKNOWN_PERSON = "unknown_person"
    PERSON = "person_not_allowed"
    CHANNEL = "channel_not_allowed"
    SHARED = "shared_channel"
    UNKNOWN_CHANNEL = "channel_may_be_shared"
    COMMAND = "command_not_allowed"


_WORDS = {
    Reason.GUEST: "I answer full members of this workspace, and you are a guest here.",
    Reason.OUTSIDER: "I answer members of this workspace only.",
    Reason.UNKNOWN_PERSON: (
        "Slack does not tell me whether you are a full member of this workspace, so I do not "
        "answer for now. Try again in a minute; if that does not help, I lack the scope users:read."
    ),
    Reason.PERSON: "You are not among the people that I may answer.",
    Reason.CHANNEL: "I may not answer in this channel.",
    Reason.SHARED: (
        "This channel is shared with another organisation, so I keep what I know of the clusters "
        "to myself here. Ask me in a direct message."
    ),
    Reason.UNKNOWN_CHANNEL: (
        "I cannot see whether this channel is shared with another organisation, so I tell nothing "
        "to all of it. Invite me, with `/invite @opsbot`, and try again; if that does not help, I "
        "lack the scope channels:read or groups:read."
    ),
    Reason.COMMAND: "This command is not for everybody, and you may not use it.",
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """Go ahead, within this scope."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Refused:
    """Not this actor, not here, or not that."""

    reason: Reason

    @property
    def words(self) -> str:
        """What the person is told: whole sentences of ours, nothing to be escaped."""
        return _WORDS[self.reason]


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who was let in: who, where, and what they may see there."""

    team: str
    channel: str
    user: str
    scope: Scope


_BY_STANDING = {
    Standing.GUEST: Reason.GUEST,
    Standing.OUTSIDER: Reason.OUTSIDER,
    Standing.UNKNOWN: Reason.UNKNOWN_PERSON,
}


def decide(actor: Actor, room: Room, action: Action, policy: Policy) -> Allowed | Refused:
    """Whether an actor may do something in a room, and what they may see there."""
    reason = _person(actor, policy) or _room(room, action, policy)
    circle = policy.commands.get(action.command)
    if reason is None and circle is not None and not circle.has(actor):
        reason = Reason.COMMAND
    return Allowed(policy.scope_in(room)) if reason is None else Refused(reason)


def decide_room(room: Room, policy: Policy) -> Allowed | Refused:
    """Whether the bot may speak to all of a room unasked, and what it may tell there."""
    reason = _room(room, Action(is_seen_by_all=True), policy)
    return Allowed(policy.scope_in(room)) if reason is None else Refused(reason)


def _person(actor: Actor, policy: Policy) -> Reason | None:
    if policy.names(actor.user):
        return None
    if actor.standing is not Standing.MEMBER:
        return _BY_STANDING[actor.standing]
    return Reason.PERSON if policy.people and not policy.people.has(actor) else None


def _room(room: Room, action: Action, policy: Policy) -> Reason | None:
    is_listed = room.id in policy.shared_channels
    if policy.channels and not (room.is_direct or is_listed or room.id in policy.channels):
        return Reason.CHANNEL
    if room.is_shared and not is_listed:
        return Reason.SHARED
    # What one member alone reads cannot reach another organisation.
    if room.is_shared is None and action.is_seen_by_all and not is_listed:
        return Reason.UNKNOWN_CHANNEL
    return None
