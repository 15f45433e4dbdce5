"""Finds out who knocks and where, and asks `bot.access.decide` whether to open."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.access import Action, Actor, Allowed, Policy, Refused, Room, Standing, decide, decide_room
from bot.lookups import Lookups
from bot.notices import SLACK_FAILURES, slack_code
from bot.people import People
from core.clock import Clock

log = logging.getLogger(__name__)


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
    """Looks up what the rules need, and decides."""

    def __init__(
        self, policy: Policy, client: AsyncWebClient, people: People, clock: Clock
    ) -> None:
        self.policy = policy
        self._client = client
        self._people = people
        self._shared = Lookups(self._ask_whether_shared, clock)
        self._groups = Lookups(self._ask_for_members, clock)
        self._unreadable_groups: set[str] = set()

    async def judge(self, visit: Visit, action: Action) -> Allowed | Refused:
        """Whether this may be done. Never raises: what cannot be found out counts as unknown."""
        standing, groups, is_shared = await asyncio.gather(
            self._standing(visit), self._groups_of(visit.user), self._is_shared(visit)
        )
        room = Room(visit.channel, visit.is_direct, is_shared)
        return decide(Actor(visit.user, standing, groups), room, action, self.policy)

    async def judge_room(self, visit: Visit) -> Allowed | Refused:
        """Whether something may be said where nobody asked. Never raises."""
        is_shared = await self._is_shared(visit)
        return decide_room(Room(visit.channel, visit.is_direct, is_shared), self.policy)

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
        if visit.is_shared is not None:
            self._shared.remember(visit.channel, visit.is_shared)
            return visit.is_shared
        if visit.is_direct or visit.channel in self.policy.shared_channels:
            return False  # in a direct message the person decides
        return await self._shared.get(visit.channel)

    async def _ask_whether_shared(self, channel: str) -> bool:
        try:
            told = (await self._client.conversations_info(channel=channel))["channel"]
        except SLACK_FAILURES as error:
            log.info("whether %s is shared is not to be had: %s", channel, error)
            raise
        return bool(told.get("is_ext_shared") or told.get("is_pending_ext_shared"))

    async def _groups_of(self, user: str) -> frozenset[str]:
        """Those of the policy's user groups that somebody is in."""
        names = sorted(self.policy.groups)
        members = await asyncio.gather(*(self._groups.get(name) for name in names))
        return frozenset(
            name for name, users in zip(names, members, strict=True) if users and user in users
        )

    async def _ask_for_members(self, group: str) -> frozenset[str]:
        try:
            told = await self._client.usergroups_users_list(usergroup=group)
        except SLACK_FAILURES as error:
            if group not in self._unreadable_groups:
                self._unreadable_groups.add(group)
                log.error(  # noqa: TRY400  (Slack's refusal says it all)
                    "who is in the user group %s cannot be read (%s), so its rule lets nobody in; "
                    "the scope needed is usergroups:read",
                    group,
                    slack_code(error) or "Slack could not be reached",
                )
            raise
        self._unreadable_groups.discard(group)
        return frozenset(str(user) for user in told.get("users") or ())
