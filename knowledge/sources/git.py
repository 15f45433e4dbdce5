"""Markdown of a git repository: a shallow checkout in the data folder, kept up to date by `git`."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from core.errors import KnowledgeError
from knowledge.documents import Listing
from knowledge.files import list_folder
from knowledge.markdownpages import Pages, PageSource
from knowledge.sources.config import refuse_password, without_password
from knowledge.sources.markdown import SUFFIXES, with_link

TIMEOUT_SECONDS = 120.0
# An index run lists twice; nobody's repository needs asking more often than this.
REST_SECONDS = 30.0
_ADDRESS = re.compile(
    r"(?P<url>[a-z][a-z+]*://[^/]*/[^@]+|(?:[^/@]+@)?[^/:@]+:[^@]+|[^@]+)(?:@(?P<ref>[^@]+))?"
)
_IS_REMOTE = re.compile(r"[a-z][a-z+]*://|(?:[^/@]+@)?[^/:@]+:")
_REF = re.compile(r"[\w][\w./+-]*")
# The repository decides nothing here: no hook of it runs, and no transport that runs commands.
_SAFE = (
    "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never",
    "-c", "gc.auto=0", "-c", "advice.detachedHead=false", "-c", "submodule.recurse=false",
)  # fmt: skip
_LOCKS = ("index.lock", "shallow.lock", "HEAD.lock", "FETCH_HEAD.lock")


@dataclass(frozen=True, slots=True)
class Address:
    """A repository, what of it is checked out ("HEAD" is its default branch), and a folder."""

    url: str
    ref: str = "HEAD"
    subfolder: str = ""


def parse_address(place: str) -> Address:
    """Read "URL_OR_PATH[@REF][#SUBFOLDER]".

    Raises:
        KnowledgeError: It is not of this form, carries a password, or its folder leads out.
    """
    uri = f"git:{place}"
    refuse_password(uri, "Use an SSH key, or a credential helper of git for HTTPS")
    rest, _, subfolder = place.partition("#")
    match = _ADDRESS.fullmatch(rest)
    ref = (match and match["ref"]) or "HEAD"
    wrong = ""
    if match is None or rest.startswith("-"):
        wrong = "it is not of the form URL[@REF][#FOLDER]"
    elif not _REF.fullmatch(ref) or ".." in ref:
        wrong = f'"{ref}" is no branch, tag or commit'
    elif ".." in PurePosixPath(subfolder).parts or subfolder.startswith("/"):
        wrong = "its folder leads out of the repository"
    if match is None or wrong:
        raise KnowledgeError(
            f'open the source "{uri}"',
            wrong,
            "Write it like git:https://git.example.com/ops/runbooks.git@main#docs",
        )
    url = match["url"]
    if not _IS_REMOTE.match(url):
        url = str(Path(url).expanduser().resolve())
    return Address(url, ref, subfolder.strip("/"))


class GitSource(PageSource):
    """Every Markdown file of a repository, or of one folder in it.

    Who may read the repository is git's business (an SSH key, a credential helper); nobody is
    asked for a password. When fetching fails, the last checkout stays in use and the failure is
    told. Links that lead out of the checkout are not followed.

    Args:
        place: "URL_OR_PATH[@REF][#SUBFOLDER]".
        folder: Checkouts are kept in it, each in its own folder.
        link_template: See `knowledge.links`; {path} begins below the subfolder.
        timeout_seconds: For one git command.
        now_seconds: A clock that never goes back.

    Raises:
        KnowledgeError: The place cannot be one.
    """

    def __init__(
        self,
        place: str,
        folder: Path,
        link_template: str = "",
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address = parse_address(place)
        name = PurePosixPath(self.address.url).stem or "repository"
        mark = hashlib.sha256(f"{self.address}".encode()).hexdigest()[:10]
        self.checkout = folder / f"{re.sub(r'[^A-Za-z0-9_-]', '-', name)}-{mark}"
        pages = Pages(str(self.checkout / self.address.subfolder), link_template)
        super().__init__(f"git:{place}", pages)
        self._timeout_seconds = timeout_seconds
        self._now_seconds = now_seconds
        self._fetched_at: float | None = None
        self._problem = ""
        self._lock = threading.Lock()

    def listing(self) -> Listing:
        """Fetch, then the files there now; a failing fetch is a problem beside the old files."""
        with self._lock:
            now = self._now_seconds()
            if self._fetched_at is None or now - self._fetched_at >= REST_SECONDS:
                self._problem = self._update()
                self._fetched_at = self._now_seconds()
            return self._listing()

    def _listing(self) -> Listing:
        place = self.uri.removeprefix("git:")
        committed_at = self._committed_at()
        if committed_at is None:
            return Listing((), ((place, self._problem or "it has no commit"),), is_complete=False)
        found = list_folder(Path(self.pages.folder), SUFFIXES, keeps_within=self.checkout)
        if not found.is_complete:
            wrong = f"it has no folder {self.address.subfolder}"
            found = replace(found, problems=((place, wrong),))
        # When the files were written here says nothing on their age; the newest commit does.
        entries = tuple(replace(entry, updated_at=committed_at) for entry in found.entries)
        problems = found.problems
        if self._problem:
            kept = f"{self._problem}; the checkout of {committed_at:%Y-%m-%d %H:%M} UTC is used"
            problems = ((place, kept), *problems)
        return with_link(Listing(entries, problems, found.is_complete), self.pages.link_template)

    def _update(self) -> str:
        """Bring the checkout up to date; gives why it could not be, or ""."""
        try:
            self.checkout.mkdir(parents=True, exist_ok=True)
            for name in _LOCKS:  # of a run that was killed; this folder has no other user
                (self.checkout / ".git" / name).unlink(missing_ok=True)
            self._git("init", "-q")
            fetch = ("fetch", "-q", "--depth", "1", "--no-tags", "--force", "--")
            self._git(*fetch, self.address.url, self.address.ref)
            self._git("reset", "-q", "--hard", "FETCH_HEAD")
            self._git("clean", "-q", "-ffdx")
        except _GitError as error:
            return str(error)
        except OSError as error:
            return f"its checkout cannot be written ({error.strerror})"
        return ""

    def _committed_at(self) -> datetime | None:
        if not (self.checkout / ".git").is_dir():
            return None
        try:
            seconds = self._git("log", "-1", "--format=%ct").strip()
            return datetime.fromtimestamp(int(seconds), UTC)
        except (_GitError, OSError, ValueError):
            return None

    def _git(self, *arguments: str) -> str:
        """Run git in the checkout. Raises _GitError, which names no password."""
        program = shutil.which("git")
        if program is None:
            raise _GitError("the git command is not installed")
        # A session of its own has no terminal to ask for a password at, and ends as a whole.
        process = subprocess.Popen(  # noqa: S603  (no shell; the address was checked)
            [program, *_SAFE, *arguments],
            cwd=self.checkout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        with process:
            try:
                output, errors = process.communicate(timeout=self._timeout_seconds)
            except subprocess.TimeoutExpired as error:
                os.killpg(process.pid, signal.SIGKILL)
                raise _GitError(f"git gave no answer in {self._timeout_seconds:g} s") from error
        if process.returncode:
            lines = [line.strip() for line in errors.splitlines() if line.strip()]
            telling = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
            said = telling[0].partition(": ")[2] if telling and ": " in telling[0] else ""
            raise _GitError(without_password(f"git {arguments[0]} failed: {said or 'no reason'}"))
        return output


class _GitError(Exception):
    """A git command failed; the text says why in a few words."""
