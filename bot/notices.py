"""Errors in words: the one place that decides what a person in Slack reads of a failure.

An `OpsbotError` is written for people and may be shown. Of any other exception a reader sees only
that something failed and a reference; its text stands in the log under that reference.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError

from core.errors import OpsbotError

# What a call to Slack may raise.
SLACK_FAILURES = (SlackClientError, ClientError, TimeoutError)

# Slack's word for what is wrong, and what a person can do about it.
_SLACK_WORDS = {
    "not_in_channel": ("the bot is not a member of the channel", "Invite it: `/invite @opsbot`."),
    "channel_not_found": (
        "the channel does not exist, or the bot cannot see it",
        "Check its id, and invite the bot: `/invite @opsbot`.",
    ),
    "is_archived": ("the channel is archived", "Choose another channel."),
    "invalid_auth": ("Slack does not accept the token", "Set the bot token of an installed app."),
    "not_authed": ("there is no token", "Set the bot token of an installed app."),
    "account_inactive": ("the app was removed from the workspace", "Install it again."),
    "token_revoked": ("the token was revoked", "Install the app again and set its new token."),
    "ratelimited": ("Slack limits how often the bot may post", "Try again in a minute."),
    "expired_trigger_id": ("the click arrived too late", "Click once more."),
}
REFUSED_TOKENS = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked"})
# These go by themselves; a later try may succeed.
PASSING = frozenset({"", "ratelimited", "internal_error", "fatal_error", "service_unavailable"})
NOT_A_MEMBER = frozenset({"not_in_channel", "channel_not_found"})
# The place of an answer is no more: somebody deleted the message, or archived the channel.
GONE = frozenset({"message_not_found", "channel_not_found", "is_archived", "thread_not_found"})


class SlackError(OpsbotError):
    """Slack refused a call or could not be reached.

    Attributes:
        code: Slack's own word, such as "not_in_channel", or '' when it did not answer.
    """

    def __init__(self, asked: str, wrong: str, remedy: str, code: str = "") -> None:
        super().__init__(asked, wrong, remedy)
        self.code = code


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a reader is told: `headline` and `remedy` are whole sentences, not yet escaped."""

    headline: str
    remedy: str
    reference: str


def new_reference() -> str:
    """Eight hex digits that name one answer or one failure, here and in the log."""
    return secrets.token_hex(4)


def explain(error: BaseException, reference: str) -> Explanation:
    """What to tell a person of `error`; its own text only where it was written for people."""
    if isinstance(error, SlackApiError):
        error = slack_error(error, "talk to Slack")
    if isinstance(error, OpsbotError):
        wrong = error.wrong.rstrip(".")
        return Explanation(f"I could not {error.asked}: {wrong}.", error.remedy, reference)
    if isinstance(error, TimeoutError):
        return Explanation(
            "This took longer than I may wait, so I stopped.",
            "Try again, or ask for something narrower.",
            reference,
        )
    return Explanation(
        "Something broke on my side.",
        "Nothing was changed anywhere. An operator finds the reason in the log by the reference.",
        reference,
    )


def slack_error(error: BaseException, asked: str) -> SlackError:
    """Slack's refusal, or the connection's failure, in our words.

    Args:
        error: What `slack_sdk` or aiohttp raised.
        asked: What was being done, as in "post the digest to C0123".
    """
    code = slack_code(error)
    if code == "missing_scope" and isinstance(error, SlackApiError):
        needed = str(error.response.get("needed") or "one more")
        return SlackError(
            asked, f"the app lacks the scope {needed}", "Add it and reinstall the app.", code
        )
    if code in _SLACK_WORDS:
        wrong, remedy = _SLACK_WORDS[code]
        return SlackError(asked, wrong, remedy, code)
    if code:
        return SlackError(asked, f"Slack answered {code}", "See Slack's list of errors.", code)
    return SlackError(asked, "Slack could not be reached", "Check the network, then try again.")


def not_posted(error: BaseException, reference: str, command: str) -> SlackError:
    """Why an answer that is kept could not be posted, and how to see it all the same.

    Args:
        error: A `SlackError`, or what `slack_sdk` or aiohttp raised.
        reference: The answer's.
        command: The slash command's name.
    """
    refused = error if isinstance(error, SlackError) else slack_error(error, "")
    shown = f"The answer is kept: `{command} show {reference}` shows it in this channel."
    return SlackError("post the answer", refused.wrong, f"{refused.remedy} {shown}", refused.code)


def slack_code(error: BaseException) -> str:
    """Slack's word for a refusal, or ''."""
    if isinstance(error, SlackApiError):
        return str(error.response.get("error") or "") if error.response is not None else ""
    return ""


def retry_after_seconds(error: BaseException) -> float:
    """For how long Slack asks to be left alone after `ratelimited`; 1 where it does not say."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        return float(headers.get("Retry-After", 1))
    except ValueError:
        return 1.0
