"""Who people are: names, time zones and standing, as far as the app may ask Slack for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from slack_sdk.web.async_client import AsyncWebClient

from bot.notices import SLACK_FAILURES, slack_code
from core.clock import Clock

log = logging.getLogger(__name__)

_MOST_KNOWN = 2_000
# A member may become a guest, or leave; nobody expects that to hold within minutes.
_FRESH_FOR = timedelta(minutes=10)
# While Slack fails, what it last said of a person counts for so long.
_USABLE_FOR = timedelta(hours=12)
# How long a missing scope is not asked about again: the app may be installed anew with it.
_WITHOUT_SCOPE_FOR = timedelta(minutes=1)


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
        self._clock = clock
        self._known: dict[str, tuple[datetime, Person]] = {}
        self._ask_again_at: datetime | None = None

    @property
    def lacks_scope(self) -> bool:
        """Whether the app may not ask who people are."""
        return self._ask_again_at is not None

    async def person(self, user: str) -> Person:
        """The person of this id. Never raises: a person nobody may ask for is named by the id."""
        now = self._clock.now()
        looked_up_at, known = self._known.get(user, (None, Person(user)))
        is_fresh = looked_up_at is not None and now - looked_up_at < _FRESH_FOR
        if is_fresh or not user:
            return known
        is_usable = looked_up_at is not None and now - looked_up_at < _USABLE_FOR
        last_known = known if is_usable else Person(user)
        if self._ask_again_at is not None and now < self._ask_again_at:
            return last_known
        try:
            told = (await self._client.users_info(user=user))["user"]
        except SLACK_FAILURES as error:
            is_forbidden = slack_code(error) == "missing_scope"
            if is_forbidden and self._ask_again_at is None:
                log.error(  # noqa: TRY400  (Slack's refusal says it all)
                    "the app lacks the scope users:read: it cannot tell members from guests, and "
                    "answers only people that are named in SLACK_ALLOWED_USERS"
                )
            self._ask_again_at = now + _WITHOUT_SCOPE_FOR if is_forbidden else None
            log.info("nothing is to be had about %s: %s", user, error)
            return last_known
        self._ask_again_at = None
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        found = _person(user, told)
        self._known[user] = (now, found)
        return found


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
