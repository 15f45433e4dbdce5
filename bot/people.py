"""Who people are: names, time zones and standing, as far as the app may ask Slack for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from slack_sdk.web.async_client import AsyncWebClient

from bot.lookups import Lookups
from bot.notices import SLACK_FAILURES, slack_code
from core.clock import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the workspace.

    Attributes:
        zone: None where Slack does not tell it.
        team: Whose workspace they belong to, or '' where nobody knows.
        is_full_member: False for guests and for people who have left; None where nobody knows.
    """

    name: str
    zone: tzinfo | None = None
    team: str = ""
    is_full_member: bool | None = None


class People:
    """Looks people up, each at most every ten minutes. Without users:read everybody is an id."""

    def __init__(self, client: AsyncWebClient, clock: Clock) -> None:
        self._client = client
        self._known = Lookups(self._ask, clock)
        self._lacks_scope = False

    async def person(self, user: str) -> Person:
        """The person of this id. Never raises: a person nobody may ask for is named by the id."""
        found = await self._known.get(user) if user else None
        return found or Person(user)

    async def _ask(self, user: str) -> Person:
        try:
            told = (await self._client.users_info(user=user))["user"]
        except SLACK_FAILURES as error:
            log.info("nothing is to be had about %s: %s", user, error)
            if slack_code(error) == "missing_scope" and not self._lacks_scope:
                self._lacks_scope = True
                log.error(  # noqa: TRY400  (Slack's refusal says it all)
                    "the app lacks the scope users:read: it cannot tell members from guests, and "
                    "answers only people that are named in SLACK_ALLOWED_USERS"
                )
            raise
        self._lacks_scope = False
        return _person(user, told)


def _person(user: str, told: Mapping[str, Any]) -> Person:
    profile = told.get("profile") or {}
    name = profile.get("real_name") or told.get("real_name") or profile.get("display_name")
    is_partly = ("is_restricted", "is_ultra_restricted", "is_stranger", "deleted")
    return Person(
        str(name or user),
        _zone(str(told.get("tz") or "")),
        str(told.get("team_id") or ""),
        not any(told.get(flag) for flag in is_partly),
    )


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError):  # a name that this machine's tables do not have
        return None
