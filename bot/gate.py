"""Finds out who knocks and where, and asks `bot.access.decide` whether to open."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from bot.access import Action, Actor, Allowed, Policy, Refused, Room, Standing, decide
from bot.notices import SLACK_FAILURES, slack_code
from bot.people import People
from core.clock import Clock

log = logging.getLogger(__name__)

_FRESH_FOR = timedelta(minutes=10)
_MOST_KNOWN = 2_000


@dataclass(frozen=True, slots=True)
class Visit:
    """What a delivery of Slack says of who does something, and where.

    Attributes:
        team: The user's own workspace, or '' where it does not say.
        is_shared: Whether another organisation is in the channel; None where it does not say.
    """

    user: str
    channel: str
    team: str = ""
    is_shared: bool | None = None

    @property
    def is_direct(self) -> bool:
        """Whether it is a direct message: only their ids begin so."""
        return self.channel.startswith("D")


class Gate:
    """Looks up what the rules need, remembers it for ten minutes, and decides."""

    def __init__(
        self, policy: Policy, client: AsyncWebClient, people: People, clock: Clock
    ) -> None:
        self.policy = policy
        self._client = client
        self._people = people
        self._clock = clock
        self._shared: dict[str, tuple[datetime, bool]] = {}
        self._groups: dict[str, tuple[datetime, frozenset[str]]] = {}
        self._unreadable_groups: set[str] = set()

    async def judge(self, visit: Visit, action: Action) -> Allowed | Refused:
        """Whether this may be done. Never raises: what cannot be found out counts as unknown."""
        actor = Actor(visit.user, await self._standing(visit), await self._groups_of(visit.user))
        room = Room(visit.channel, visit.is_direct, await self._is_shared(visit))
        return decide(actor, room, action, self.policy)

    async def _standing(self, visit: Visit) -> Standing:
        home = self.policy.home_team
        if home and visit.team and visit.team != home:
            return Standing.OUTSIDER
        if self.policy.names(visit.user):
            return Standing.UNKNOWN  # which makes no difference then
        person = await self._people.person(visit.user)
        if home and person.team and person.team != home:
            return Standing.OUTSIDER
        if person.is_full_member is None:
            return Standing.UNKNOWN
        return Standing.MEMBER if person.is_full_member else Standing.GUEST

    async def _is_shared(self, visit: Visit) -> bool | None:
        now = self._clock.now()
        if visit.is_shared is not None:
            self._remember(visit.channel, visit.is_shared, now)
            return visit.is_shared
        if visit.is_direct or visit.channel in self.policy.shared_channels:
            return False  # in a direct message the person decides
        looked_up_at, known = self._shared.get(visit.channel, (None, None))
        if looked_up_at is not None and now - looked_up_at < _FRESH_FOR:
            return known
        try:
            told = (await self._client.conversations_info(channel=visit.channel))["channel"]
        except SLACK_FAILURES as error:
            log.info("whether %s is shared is not to be had: %s", visit.channel, error)
            return True if known else None
        is_shared = bool(told.get("is_ext_shared") or told.get("is_pending_ext_shared"))
        self._remember(visit.channel, is_shared, now)
        return is_shared

    def _remember(self, channel: str, is_shared: bool, now: datetime) -> None:
        if len(self._shared) >= _MOST_KNOWN:
            self._shared.clear()
        self._shared[channel] = (now, is_shared)

    async def _groups_of(self, user: str) -> frozenset[str]:
        """Those of the policy's user groups that somebody is in."""
        found = {name for name in self.policy.groups if user in await self._members(name)}
        return frozenset(found)

    async def _members(self, group: str) -> frozenset[str]:
        now = self._clock.now()
        looked_up_at, known = self._groups.get(group, (None, frozenset()))
        if looked_up_at is not None and now - looked_up_at < _FRESH_FOR:
            return known
        try:
            told = await self._client.usergroups_users_list(usergroup=group)
        except SLACK_FAILURES as error:
            if group not in self._unreadable_groups:
                self._unreadable_groups.add(group)
                why = slack_code(error) or "Slack could not be reached"
                log.error(  # noqa: TRY400  (Slack's refusal says it all)
                    "who is in the user group %s cannot be read (%s), so its rule lets nobody in; "
                    "the scope needed is usergroups:read",
                    group,
                    why,
                )
            # Members of ten minutes ago are let in while Slack fails; a group never read has none.
            self._groups[group] = (now, known)
            return known
        self._unreadable_groups.discard(group)
        members = frozenset(str(user) for user in told.get("users") or ())
        self._groups[group] = (now, members)
        return members
