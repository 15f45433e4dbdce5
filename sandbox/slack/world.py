"""Who and what is in the workspace when it starts, and how the app is installed in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TEAM_ID = "TFENWICK"
TEAM_NAME = "Fenwick Goods"
TEAM_DOMAIN = "fenwick"
APP_ID = "AOPSBOT"
BOT_ID = "BOPSBOT"
BOT_USER_ID = "UOPSBOT"
BOT_NAME = "opsbot"
BOT_TOKEN = "xoxb-sandbox-opsbot"  # noqa: S105  (opens nothing but this sandbox)
APP_TOKEN = "xapp-sandbox-opsbot"  # noqa: S105  (opens nothing but this sandbox)
SIGNING_SECRET = "sandbox-signing-secret"  # noqa: S105  (signs nothing but this sandbox's requests)
VERIFICATION_TOKEN = "sandbox-verification-token"  # noqa: S105  (Slack's legacy field)
DEFAULT_USER_ID = "UYOU"


@dataclass(frozen=True, slots=True)
class User:
    """A member of the workspace, or a guest or stranger when `team_id` is another team's."""

    id: str
    name: str
    real_name: str
    title: str = ""
    team_id: str = TEAM_ID
    is_bot: bool = False
    bot_id: str = ""
    app_id: str = ""
    is_restricted: bool = False

    def to_slack(self) -> dict[str, Any]:
        """The user object of `users.info`."""
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": False,
            "real_name": self.real_name,
            "tz": "Etc/UTC",
            "tz_label": "Coordinated Universal Time",
            "tz_offset": 0,
            "profile": {
                "real_name": self.real_name,
                "display_name": self.name,
                "title": self.title,
                "team": self.team_id,
            }
            | ({"bot_id": self.bot_id, "api_app_id": self.app_id} if self.is_bot else {}),
            "is_admin": False,
            "is_owner": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
        }

    def bot_profile(self) -> dict[str, Any]:
        """The `bot_profile` that messages of a bot carry."""
        return {
            "id": self.bot_id,
            "app_id": self.app_id,
            "user_id": self.id,
            "name": self.name,
            "icons": {},
            "deleted": False,
            "updated": 1790000000,
            "team_id": self.team_id,
        }


USERS = (
    User(DEFAULT_USER_ID, "you", "You", "Engineer on call"),
    User("UINES", "ines", "Ines Okafor", "Storefront, primary on call"),
    User("UTOMAS", "tomas", "Tomás Brandt", "Orders, primary on call"),
    User("UPRIYA", "priya", "Priya Raman", "Trading, primary on call"),
    User("UJONAS", "jonas", "Jonas Lind", "Platform, primary on call"),
    User("UMEI", "mei", "Mei Tanaka", "Data, primary on call"),
    User(
        BOT_USER_ID,
        BOT_NAME,
        "opsbot",
        "Answers for the cluster",
        is_bot=True,
        bot_id=BOT_ID,
        app_id=APP_ID,
    ),
    # Another app's bot: its posts reach ours, as Slack lets them.
    User(
        "UALERTS",
        "alerts",
        "alerts",
        "Alertmanager",
        is_bot=True,
        bot_id="BALERTS",
        app_id="AALERTS",
    ),
    User(
        "USLACKBOT",
        "slackbot",
        "Slackbot",
        is_bot=True,
        bot_id="BSLACKBOT",
        app_id="ASLACKBOT",
    ),
)

CHANNELS = (
    ("CGENERAL", "general", "Everything worth telling everyone"),
    ("CINCIDENTS", "incidents", "What is broken, and who is on it"),
    ("COPS", "ops", "Digests and cluster work"),
)


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A command the app has registered: name with slash, and the composer's help."""

    name: str
    description: str
    usage_hint: str


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A shortcut the app has registered; `kind` is "message" or "global"."""

    name: str
    callback_id: str
    kind: str
    description: str


@dataclass(frozen=True, slots=True)
class AppProfile:
    """How the app is installed: what Slack reads from its manifest."""

    commands: tuple[SlashCommand, ...] = (
        SlashCommand("/k8s", "Ask about the cluster", "ask | status | search | digest | help"),
    )
    shortcuts: tuple[Shortcut, ...] = ()
    events: frozenset[str] = frozenset(
        {
            "app_home_opened",
            "app_mention",
            "message.channels",
            "message.groups",
            "message.im",
        }
    )
    scopes: frozenset[str] = frozenset(
        {
            "app_mentions:read",
            "assistant:write",
            "channels:history",
            "channels:read",
            "chat:write",
            "commands",
            "files:write",
            "groups:history",
            "groups:read",
            "im:history",
            "im:read",
            "im:write",
            "reactions:write",
            "users:read",
        }
    )

    @staticmethod
    def from_manifest(manifest: Mapping[str, Any]) -> AppProfile:
        """Read an app manifest as Slack's installation does; what it leaves out is not granted."""
        features = manifest.get("features") or {}
        settings = manifest.get("settings") or {}
        oauth = (manifest.get("oauth_config") or {}).get("scopes") or {}
        subscriptions = settings.get("event_subscriptions") or {}
        return AppProfile(
            commands=tuple(
                SlashCommand(row["command"], row.get("description", ""), row.get("usage_hint", ""))
                for row in features.get("slash_commands") or ()
            ),
            shortcuts=tuple(
                Shortcut(row["name"], row["callback_id"], row["type"], row.get("description", ""))
                for row in features.get("shortcuts") or ()
            ),
            events=frozenset(subscriptions.get("bot_events") or ()),
            scopes=frozenset(oauth.get("bot") or ()),
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """Slack's periods and counts, so that a test can shorten what it has to wait for."""

    ack_timeout_seconds: float = 3.0
    retry_delays_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)
    stream_lifetime_seconds: float = 300.0
    trigger_lifetime_seconds: float = 3.0
    response_url_lifetime_seconds: float = 1800.0
    response_url_uses: int = 5
    status_lifetime_seconds: float = 120.0
