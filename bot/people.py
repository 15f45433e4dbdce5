"""Who people are: their names and time zones, as far as the app may ask Slack for them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from slack_sdk.web.async_client import AsyncWebClient

from bot.notices import SLACK_FAILURES, slack_code

log = logging.getLogger(__name__)

_MOST_KNOWN = 2_000


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the workspace; `zone` is None where Slack does not tell it."""

    name: str
    zone: tzinfo | None = None


class People:
    """Looks people up once each. Without the scope users:read everybody is an id."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: dict[str, Person] = {}
        self._may_ask = True

    async def person(self, user: str) -> Person:
        """The person of this id. Never raises: a person nobody may ask for is named by the id."""
        known = self._known.get(user)
        if known is not None or not self._may_ask or not user:
            return known or Person(user)
        try:
            told = (await self._client.users_info(user=user))["user"]
        except SLACK_FAILURES as error:
            # The scope is optional; a failure of the moment is asked for again next time.
            self._may_ask = slack_code(error) != "missing_scope"
            log.info("the name of %s is not to be had: %s", user, error)
            return Person(user)
        profile = told.get("profile") or {}
        name = profile.get("real_name") or told.get("real_name") or profile.get("display_name")
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[user] = Person(str(name or user), _zone(str(told.get("tz") or "")))
        return self._known[user]


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError):  # a name that this machine's tables do not have
        return None
