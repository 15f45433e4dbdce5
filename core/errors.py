"""Errors that a person may read: what was asked, what is wrong, what to do."""

from __future__ import annotations


class OpsbotError(Exception):
    """A failure with words for the person who asked.

    Args:
        asked: What was being done, as in "read the pods of cluster prod".
        wrong: What went wrong, without secrets, addresses with credentials or stack traces.
        remedy: What the reader can try next.

    The library's own exception goes into `__cause__` (`raise … from error`), for the log only.
    """

    def __init__(self, asked: str, wrong: str, remedy: str) -> None:
        super().__init__(f"Could not {asked}: {wrong}. {remedy}")
        self.asked = asked
        self.wrong = wrong
        self.remedy = remedy


class RequestError(OpsbotError):
    """What was typed cannot be answered; to ask the same again is in vain."""


class KnowledgeError(OpsbotError):
    """A source, the vector store or the model failed."""


class ClusterError(OpsbotError):
    """A cluster could not be read, or not in full."""


class StateError(OpsbotError):
    """The state database failed."""


class SettingsError(OpsbotError):
    """A setting has a value that cannot be used."""


class DataFolderError(OpsbotError):
    """The data folder is held by another process, or cannot be written."""
