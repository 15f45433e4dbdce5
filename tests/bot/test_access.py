"""Who may do what where: the decision as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.access import (
    SHARE,
    Action,
    Actor,
    Allowed,
    Circle,
    Policy,
    Reason,
    Refused,
    Room,
    Standing,
    decide,
)
from core.answers import Scope

MEMBER = Actor("U1", Standing.MEMBER)
ON_CALL = Actor("U2", Standing.MEMBER, frozenset({"S1"}))
GUEST = Actor("U3", Standing.GUEST)
OUTSIDER = Actor("U4", Standing.OUTSIDER)
UNKNOWN = Actor("U5", Standing.UNKNOWN)
OPS, DM = Room("C1"), Room("D1", is_direct=True)
SHARED, UNSEEN = Room("C2", is_shared=True), Room("C3", is_shared=None)
ASKING, SHARING = Action(), Action(SHARE, is_seen_by_all=True)
DIGEST = Action("digest")

FREE = Policy()
LISTED = Policy(people=Circle(frozenset({"U1"}), frozenset({"S1"})))
ONE_CHANNEL = Policy(channels=frozenset({"C1"}))
GUESTS = Policy(guests=frozenset({"U3", "U4", "U5"}))
PARTNER = Policy(shared_channels=frozenset({"C2", "C3"}), channels=frozenset({"C1"}))
DIGEST_ON_CALL = Policy(commands={"digest": Circle(groups=frozenset({"S1"}))})
DIGEST_NOBODY = Policy(commands={"digest": Circle()})


@pytest.mark.parametrize(
    ("actor", "room", "action", "policy", "reason"),
    [
        (MEMBER, OPS, ASKING, FREE, None),
        (MEMBER, DM, ASKING, FREE, None),
        (GUEST, OPS, ASKING, FREE, Reason.GUEST),
        (GUEST, DM, ASKING, FREE, Reason.GUEST),
        (OUTSIDER, DM, ASKING, FREE, Reason.OUTSIDER),
        (OUTSIDER, SHARED, ASKING, FREE, Reason.OUTSIDER),
        (UNKNOWN, OPS, ASKING, FREE, Reason.UNKNOWN_PERSON),
        (MEMBER, SHARED, ASKING, FREE, Reason.SHARED),
        (MEMBER, SHARED, SHARING, FREE, Reason.SHARED),
        # What one member alone reads is told where nobody knows; what all read is not.
        (MEMBER, UNSEEN, ASKING, FREE, None),
        (MEMBER, UNSEEN, SHARING, FREE, Reason.UNKNOWN_CHANNEL),
        (MEMBER, OPS, ASKING, LISTED, None),
        (ON_CALL, OPS, ASKING, LISTED, None),
        (replace(ON_CALL, groups=frozenset()), OPS, ASKING, LISTED, Reason.PERSON),
        (replace(MEMBER, user="U9"), OPS, ASKING, LISTED, Reason.PERSON),
        # Membership of a group does not make a member of a guest; being named does.
        (replace(GUEST, groups=frozenset({"S1"})), OPS, ASKING, LISTED, Reason.GUEST),
        (replace(GUEST, user="U1"), OPS, ASKING, LISTED, None),
        (UNKNOWN, OPS, ASKING, LISTED, Reason.UNKNOWN_PERSON),
        (replace(UNKNOWN, user="U1"), OPS, ASKING, LISTED, None),
        (GUEST, OPS, ASKING, GUESTS, None),
        (OUTSIDER, OPS, ASKING, GUESTS, None),
        (MEMBER, OPS, ASKING, GUESTS, None),
        # A guest who is let in is told nothing in a channel that is shared.
        (OUTSIDER, SHARED, ASKING, GUESTS, Reason.SHARED),
        (GUEST, OPS, ASKING, replace(LISTED, guests=frozenset({"U3"})), None),
        (MEMBER, OPS, ASKING, ONE_CHANNEL, None),
        (MEMBER, DM, ASKING, ONE_CHANNEL, None),
        (MEMBER, Room("C9"), ASKING, ONE_CHANNEL, Reason.CHANNEL),
        (MEMBER, SHARED, SHARING, PARTNER, None),
        (MEMBER, UNSEEN, SHARING, PARTNER, None),
        (OUTSIDER, SHARED, ASKING, PARTNER, Reason.OUTSIDER),
        (MEMBER, OPS, DIGEST, DIGEST_ON_CALL, Reason.COMMAND),
        (ON_CALL, OPS, DIGEST, DIGEST_ON_CALL, None),
        (MEMBER, OPS, ASKING, DIGEST_ON_CALL, None),
        (ON_CALL, OPS, DIGEST, DIGEST_NOBODY, Reason.COMMAND),
    ],
)
def test_the_decision(
    actor: Actor, room: Room, action: Action, policy: Policy, reason: Reason | None
) -> None:
    verdict = decide(actor, room, action, policy)
    if reason is None:
        assert verdict == Allowed(Scope(channel=room.id))
    else:
        assert verdict == Refused(reason)


@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_has_words_of_its_own(reason: Reason) -> None:
    words = Refused(reason).words
    assert words.endswith(".")
    assert [Refused(other).words for other in Reason].count(words) == 1


def test_a_room_has_its_own_scope_or_that_of_its_kind() -> None:
    shop, most = Scope(namespaces=frozenset({"shop"})), Scope(sources=frozenset({"markdown"}))
    alone = Scope(clusters=frozenset({"test"}))
    policy = Policy(scopes={"C1": shop}, default_scope=most, direct_scope=alone)
    assert policy.scope_in(OPS) == replace(shop, channel="C1")
    assert policy.scope_in(SHARED) == replace(most, channel="C2")
    assert policy.scope_in(DM) == replace(alone, channel="D1")


def test_the_groups_that_matter_are_those_that_rules_name() -> None:
    assert not FREE.groups
    both = replace(LISTED, commands={"digest": Circle(groups=frozenset({"S2"}))})
    assert both.groups == {"S1", "S2"}
