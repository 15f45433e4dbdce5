"""Files into Slack: the address is asked for, the bytes are sent there, the upload is completed."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.errors import SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient

from bot.mrkdwn import clip
from bot.notices import SLACK_FAILURES, SlackError, slack_error

ALT_TEXT_CHARS = 1_000
_TITLE_CHARS = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """A file for a thread.

    Attributes:
        name: With its ending, which tells Slack how to show it.
        alt_text: What a picture shows, for those who do not see it.
    """

    name: str
    title: str
    content: bytes
    alt_text: str = ""


async def upload(
    client: AsyncWebClient, channel: str, thread_ts: str, file: Upload, comment: str = ""
) -> None:
    """Put a file into a thread.

    Args:
        client: Speaks to Slack; its token needs the scope files:write.
        channel: The channel's id.
        thread_ts: The thread.
        file: What to put there.
        comment: Escaped mrkdwn beside it, or ''.

    Raises:
        SlackError: It is not there; the error names a scope that is missing.
    """
    try:
        await client.files_upload_v2(
            channel=channel,
            thread_ts=thread_ts,
            filename=file.name,
            title=clip(file.title, _TITLE_CHARS),
            content=file.content,
            alt_txt=clip(file.alt_text, ALT_TEXT_CHARS) or None,
            initial_comment=comment or None,
        )
    except SlackRequestError as error:  # the server that takes the bytes did not
        raise SlackError(
            f"upload {file.name}", "Slack did not take the file", "Try again in a minute."
        ) from error
    except SLACK_FAILURES as error:
        raise slack_error(error, f"upload {file.name}") from error
