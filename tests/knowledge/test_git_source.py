"""A repository's pages: fetched by git, kept when fetching fails, and never a way out of it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import KnowledgeError
from knowledge.sources import open_source
from knowledge.sources.config import Surroundings
from knowledge.sources.git import REST_SECONDS, Address, GitSource, parse_address

COMMITTED_AT = "2026-02-03T04:05:06+00:00"


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Ines", "-c", "user.email=ines@example.com", "-c", "commit.gpgsign=0")
    subprocess.run(  # noqa: S603  (our own words)
        ["git", *who, *arguments],  # noqa: S607  (the git that is installed)
        cwd=folder,
        check=True,
        capture_output=True,
        env={"GIT_COMMITTER_DATE": COMMITTED_AT, "PATH": "/usr/bin:/bin:/usr/local/bin"},
    )


def commit(work: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(work, "add", "--all")
    git(work, "commit", "-q", "-m", "Change pages")
    git(work, "push", "-q", "origin", "HEAD")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working copy whose origin is a bare repository beside it, with a first commit."""
    work = tmp_path / "work"
    work.mkdir()
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "runbooks.git")
    git(work, "init", "-q", "-b", "main")
    git(work, "remote", "add", "origin", str(tmp_path / "runbooks.git"))
    commit(work, {"runbooks/redis.md": "# Redis\n\nFail over.\n", "README.md": "text"})
    return work


class Ticks:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def source_of(work: Path, suffix: str = "", ticks: Ticks | None = None) -> GitSource:
    place = f"{work.parent / 'runbooks.git'}{suffix}"
    return GitSource(place, work.parent / "data", now_seconds=ticks or Ticks())


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("https://git.example.com/ops/r.git", Address("https://git.example.com/ops/r.git")),
        ("https://me@h.example/r.git@v1.2", Address("https://me@h.example/r.git", "v1.2")),
        ("https://h.example/r@fix/one#a/b", Address("https://h.example/r", "fix/one", "a/b")),
        ("ssh://git@h.example:22/r.git#d/", Address("ssh://git@h.example:22/r.git", "HEAD", "d")),
        ("git@h.example:ops/r.git@main", Address("git@h.example:ops/r.git", "main")),
        ("git@h.example:ops/r.git", Address("git@h.example:ops/r.git")),
        ("/srv/r.git@main", Address("/srv/r.git", "main")),
        ("file:///srv/r.git", Address("file:///srv/r.git")),
    ],
)
def test_a_place_is_read_into_its_parts(place: str, address: Address) -> None:
    assert parse_address(place) == address


def test_a_relative_path_is_meant_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_address("docs.git").url == str(tmp_path / "docs.git")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("--upload-pack=touch /tmp/x", "not of the form"),
        ("https://h.example/r@--force", "is no branch, tag or commit"),
        ("https://h.example/r@a..b", "is no branch, tag or commit"),
        ("https://h.example/r#../../etc", "leads out of the repository"),
        ("https://h.example/r#/etc", "leads out of the repository"),
        ("https://me:secret@h.example/r", "carries a password"),
    ],
)
def test_a_place_that_cannot_be_one_is_refused(place: str, words: str) -> None:
    with pytest.raises(KnowledgeError) as wrong:
        parse_address(place)
    assert words in wrong.value.wrong
    assert "secret" not in str(wrong.value)


def test_pages_of_a_repository_are_read_with_the_commits_age(work: Path) -> None:
    source = source_of(work)
    listing = source.listing()
    assert [entry.path for entry in listing.entries] == ["README.md", "runbooks/redis.md"]
    assert listing.problems == ()
    (document,) = source.load(listing.entries[1])
    assert (document.title, document.kind, document.source) == ("Redis", "runbook", "markdown")
    assert document.updated_at == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_a_folder_a_branch_and_a_template(work: Path) -> None:
    git(work, "checkout", "-q", "-b", "next")
    commit(work, {"runbooks/kafka.md": "# Kafka"})
    template = "https://git.example.com/ops/blob/next/runbooks/{path}#{anchor}"
    place = f"git:{work.parent / 'runbooks.git'}@next#runbooks"
    source = open_source(place, Surroundings(work.parent / "data", template))
    kafka, redis = source.listing().entries
    assert (kafka.path, redis.path) == ("kafka.md", "redis.md")
    (document,) = source.load(kafka)
    assert document.url == "https://git.example.com/ops/blob/next/runbooks/kafka.md"
    assert [entry.path for entry in source_of(work, "#runbooks").listing().entries] == ["redis.md"]


def test_changes_are_fetched_after_a_rest(work: Path, ticks: Ticks) -> None:
    source = source_of(work, ticks=ticks)
    source.listing()
    (work / "README.md").unlink()
    commit(work, {"new.md": "new"})
    assert len(source.listing().entries) == 2
    ticks.now += REST_SECONDS
    names = [entry.path for entry in source.listing().entries]
    assert names == ["new.md", "runbooks/redis.md"]
    depth = subprocess.run(
        ["git", "rev-list", "--count", "HEAD"],  # noqa: S607  (as above)
        cwd=source.checkout,
        check=True,
        capture_output=True,
        text=True,
    )
    assert depth.stdout.strip() == "1"


def test_history_that_was_rewritten_and_changes_in_the_checkout_are_overwritten(
    work: Path, ticks: Ticks
) -> None:
    source = source_of(work, ticks=ticks)
    source.listing()
    (source.checkout / "README.md").write_text("changed here")
    (source.checkout / "stray.md").write_text("stray")
    (source.checkout / ".git" / "index.lock").write_text("")
    git(work, "commit", "-q", "--amend", "-m", "Other")
    git(work, "push", "-q", "--force", "origin", "HEAD")
    ticks.now += REST_SECONDS
    listing = source.listing()
    assert [entry.path for entry in listing.entries] == ["README.md", "runbooks/redis.md"]
    assert listing.problems == ()
    assert source.load(listing.entries[0])[0].text == "text"


def test_when_fetching_fails_the_last_checkout_stays_in_use(work: Path, ticks: Ticks) -> None:
    source = source_of(work, ticks=ticks)
    source.listing()
    (work.parent / "runbooks.git").rename(work.parent / "moved.git")
    ticks.now += REST_SECONDS
    for _ in range(2):  # the second one does not ask again, and still tells
        listing = source.listing()
        assert [entry.path for entry in listing.entries] == ["README.md", "runbooks/redis.md"]
        assert listing.is_complete
        ((_, why),) = listing.problems
        assert why.startswith("git fetch failed: ")
        assert why.endswith("; the checkout of 2026-02-03 04:05 UTC is used")


def test_a_repository_that_was_never_reached_is_told_and_nothing_counts_as_vanished(
    tmp_path: Path,
) -> None:
    source = GitSource(str(tmp_path / "nowhere.git"), tmp_path / "data")
    listing = source.listing()
    assert (listing.entries, listing.is_complete) == ((), False)
    ((place, why),) = listing.problems
    assert place == str(tmp_path / "nowhere.git")
    assert why.startswith("git fetch failed: ")


def test_a_missing_branch_or_folder_is_told(work: Path) -> None:
    ((_, why),) = source_of(work, "@gone").listing().problems
    assert "couldn't find remote ref gone" in why
    listing = source_of(work, "#gone").listing()
    assert listing.problems[0][1] == "it has no folder gone"
    assert not listing.is_complete


def test_a_git_that_hangs_is_ended(work: Path) -> None:
    place = str(work.parent / "runbooks.git")
    source = GitSource(place, work.parent / "data", timeout_seconds=0.0001)
    assert source.listing().problems == ((place, "git gave no answer in 0.0001 s"),)


def test_a_checkout_that_cannot_be_written_is_told(work: Path) -> None:
    (work.parent / "data").write_text("a file where the folder should be")
    ((_, why),) = source_of(work).listing().problems
    assert why == "its checkout cannot be written (Not a directory)"


def test_without_git_that_is_what_is_told(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(work))
    assert source_of(work).listing().problems[0][1] == "the git command is not installed"


def test_links_that_lead_out_of_the_checkout_are_not_followed(work: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key.md").write_text("secret")
    (work / "out.md").symlink_to(tmp_path / "private" / "key.md")
    (work / "folder").symlink_to(tmp_path / "private")
    (work / "inside.md").symlink_to("README.md")
    (work / "loop").symlink_to(".")
    commit(work, {})
    listing = source_of(work).listing()
    names = [entry.path for entry in listing.entries]
    assert names == ["README.md", "inside.md", "runbooks/redis.md"]
    assert dict(listing.problems) == {
        "folder": "a link that leads out of the checkout",
        "loop": "a link to a folder listed already",
        "out.md": "a link that leads out of the checkout",
    }
