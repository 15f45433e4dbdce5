"""Files become documents; what cannot be read is named and stops nothing else."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import KnowledgeError
from knowledge.documents import Entry, UnreadableError
from knowledge.files import LARGEST_FILE_BYTES
from knowledge.markdownpages import split_front_matter
from knowledge.sources import SCHEMES, open_source
from knowledge.sources.config import SourceConfig, Surroundings
from knowledge.sources.graph import GraphFileSource
from knowledge.sources.logs import LogSource
from knowledge.sources.markdown import MarkdownSource
from knowledge.sources.metrics import MetricsSource


@pytest.mark.parametrize("uri", ["ftp:somewhere", "markdown:", "markdown", "runbooks", ""])
def test_a_uri_of_no_known_kind_names_the_allowed_ones(uri: str) -> None:
    with pytest.raises(KnowledgeError) as wrong:
        open_source(uri)
    assert all(f"{scheme}:…" in wrong.value.remedy for scheme in SCHEMES)


def test_each_scheme_opens_its_source() -> None:
    kinds = {scheme: open_source(f"{scheme}://place").kind for scheme in SCHEMES}
    assert kinds == {
        "markdown": "markdown",
        "git": "markdown",
        "csv-logs": "csv-logs",
        "csv-metrics": "csv-metrics",
        "graph": "graph",
        "backstage": "graph",
        "neo4j": "graph",
        "neo4j+s": "graph",
    }
    assert open_source("markdown: docs").uri == "markdown:docs"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (SourceConfig("markdown:docs", columns={"a": "b"}), "markdown has no use for columns"),
        (SourceConfig("backstage:docs", queries={"a": "b"}), "backstage has no use for queries"),
        (SourceConfig("csv-logs:x", link_template="https://x/{path}"), "no use for link_template"),
        (SourceConfig("markdown:docs", link_template="ftp://x/{path}"), "does not begin with"),
        (SourceConfig("markdown:docs", link_template="https://x/{file}"), "{file} is no place"),
        (SourceConfig("git:docs", link_template="https://x/"), "it has no {path}"),
    ],
)
def test_an_option_that_does_not_fit_is_named(config: SourceConfig, words: str) -> None:
    with pytest.raises(KnowledgeError) as wrong:
        open_source(config)
    assert words in wrong.value.wrong


@pytest.mark.parametrize("scheme", ["git:https", "neo4j", "neo4j+s", "ftp"])
def test_a_password_in_an_address_is_refused_and_not_told(scheme: str) -> None:
    with pytest.raises(KnowledgeError) as wrong:
        open_source(f"{scheme}://reader:hunter2@example.com/x")
    assert "hunter2" not in str(wrong.value)
    assert "reader:…@example.com" in str(wrong.value)


def test_pages_get_their_address_from_the_template(tmp_path: Path) -> None:
    (tmp_path / "on call").mkdir()
    (tmp_path / "on call" / "a.md").write_text("# A page\n\n## What's next? (now)\n\ntext\n")
    (tmp_path / "b.md").write_text("---\nurl: https://wiki.example.com/b\n---\ntext")
    shared = Surroundings(link_template="https://x.example.com/blob/main/{path}#{anchor}")
    source = open_source(f"markdown:{tmp_path}", shared)
    own, made = sorted(
        (source.load(entry)[0] for entry in source.listing().entries), key=lambda one: one.path
    )
    assert own.url == own.url_of("Any") == "https://wiki.example.com/b"
    assert made.url == "https://x.example.com/blob/main/on%20call/a.md"
    assert made.url_of("What's next? (now)") == f"{made.url}#whats-next-now"
    assert made.url_of("") == made.url


def test_another_template_makes_the_pages_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("text")
    stamps = {
        open_source(SourceConfig(f"markdown:{tmp_path}", link_template=template))
        .listing()
        .entries[0]
        .stamp
        for template in ("", "https://x.example.com/{path}", "https://y.example.com/{path}")
    }
    assert len(stamps) == 3


def test_columns_are_mapped_where_the_guess_is_not_wanted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("wann,was,zahl\n2026-03-04T10:00:00Z,hello,7\n")
    columns = {"moment": "wann", "message": "was", "series": "was", "value": "zahl"}
    for scheme in ("csv-logs", "csv-metrics"):
        source = open_source(SourceConfig(f"{scheme}:{tmp_path}/*.csv", columns=columns))
        assert source.listing().problems == ()
        assert isinstance(source, LogSource | MetricsSource)
        assert source.table.count() == 1


def test_front_matter_becomes_the_documents_labels(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "---\ntitle: Payments restarts\nservice: [payments, cart]\nteam: orders\n"
        "namespace: shop\nkind: runbook\nurl: https://wiki.example.com/p\n"
        "updated: 2026-01-05\n---\n# Other\n\nText\n"
    )
    source = MarkdownSource(str(tmp_path))
    (document,) = source.load(source.listing().entries[0])
    assert document.title == "Payments restarts"
    assert (document.service, document.team, document.namespace) == ("payments", "orders", "shop")
    assert (document.kind, document.url) == ("runbook", "https://wiki.example.com/p")
    assert document.updated_at == datetime(2026, 1, 5, tzinfo=UTC)
    assert document.text.startswith("# Other")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# First heading #\n\ntext", "First heading"),
        ("First heading\n=====\n\ntext", "First heading"),
        ("just text", "how to restart"),
        ("---\n\ntext between rules\n\n---\n", "how to restart"),
    ],
)
def test_the_title_comes_from_the_heading_or_the_file(
    tmp_path: Path, text: str, title: str
) -> None:
    (tmp_path / "how-to_restart.md").write_text(text)
    source = MarkdownSource(str(tmp_path))
    entry = source.listing().entries[0]
    (document,) = source.load(entry)
    assert document.title == title
    assert document.updated_at == entry.updated_at


def test_the_folder_tells_the_kind(tmp_path: Path) -> None:
    (tmp_path / "Incidents" / "2026").mkdir(parents=True)
    (tmp_path / "Incidents" / "2026" / "inc.md").write_text("text")
    source = MarkdownSource(str(tmp_path))
    (document,) = source.load(source.listing().entries[0])
    assert document.kind == "incident"
    assert document.path == "Incidents/2026/inc.md"


def test_a_site_generators_tags_leave_their_words(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        '<!-- overview -->\nA {{< glossary term_id="pod" text="Pod" >}} is {{% note %}}small.'
    )
    source = MarkdownSource(str(tmp_path))
    (document,) = source.load(source.listing().entries[0])
    assert document.text.strip() == "A Pod is small."


def test_times_in_front_matter_are_read_in_utc(tmp_path: Path) -> None:
    source = MarkdownSource(str(tmp_path))
    for stamp in ("2026-01-05T10:00:00+02:00", "2026-01-05 08:00:00"):
        (tmp_path / "a.md").write_text(f"---\ndate: {stamp}\n---\ntext")
        (document,) = source.load(source.listing().entries[0])
        assert document.updated_at == datetime(2026, 1, 5, 8, tzinfo=UTC)


def test_broken_files_are_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "binary.md").write_bytes(b"a\0b")
    (tmp_path / "latin.md").write_bytes("Größe".encode("latin-1"))
    (tmp_path / "huge.md").write_text("x" * (LARGEST_FILE_BYTES + 1))
    (tmp_path / "front.md").write_text("---\ntitle: [open\nteam: x\n---\ntext")
    (tmp_path / "empty.md").write_text("---\ntitle: x\n---\n\n")
    (tmp_path / "notes.txt").write_text("no Markdown")
    source = MarkdownSource(str(tmp_path))
    why = {}
    for entry in source.listing().entries:
        try:
            assert source.load(entry) == ()
        except UnreadableError as error:
            why[entry.path] = str(error)
    assert why == {
        "binary.md": "binary, not text",
        "latin.md": "not UTF-8 text",
        "huge.md": "larger than 2 MB",
        "front.md": "in its front matter: it is no YAML at line 3",
    }
    with pytest.raises(UnreadableError, match="no such file"):
        source.load(Entry("gone.md", "0"))


def test_a_missing_folder_is_a_problem_and_nothing_counts_as_vanished(tmp_path: Path) -> None:
    listing = MarkdownSource(str(tmp_path / "nowhere")).listing()
    assert listing.problems == ((str(tmp_path / "nowhere"), "the folder does not exist"),)
    assert not listing.is_complete


def test_links_are_followed_once_and_loops_and_dead_links_are_named(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("text")
    (tmp_path / "docs" / "loop").symlink_to(tmp_path / "docs")
    (tmp_path / "docs" / "dead.md").symlink_to(tmp_path / "gone.md")
    (tmp_path / "docs" / ".git").mkdir()
    (tmp_path / "docs" / ".git" / "skip.md").write_text("text")
    listing = MarkdownSource(str(tmp_path / "docs")).listing()
    assert [entry.path for entry in listing.entries] == ["page.md"]
    assert dict(listing.problems) == {
        "loop": "a link to a folder listed already",
        "dead.md": "no such file or directory",
    }


def test_the_stamp_changes_with_the_file(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("one")
    source = MarkdownSource(str(tmp_path))
    before = source.listing().entries[0].stamp
    page.write_text("two!")
    os.utime(page, (1, 1))
    assert source.listing().entries[0].stamp != before


def test_text_without_front_matter_is_left_alone() -> None:
    assert split_front_matter("plain") == ({}, "plain")
    assert split_front_matter("---\n- a list\n---\nrest")[0] == {}


def test_a_graph_source_yields_a_document_a_described_service(tmp_path: Path) -> None:
    path = tmp_path / "graph.yaml"
    path.write_text(
        "services:\n"
        "  cart: {description: Shopping carts, team: orders, depends_on: [redis]}\n"
        "  redis: {}\n"
    )
    source = GraphFileSource(str(path))
    listing = source.listing()
    (document,) = source.load(listing.entries[0])
    assert document.text == "cart: Shopping carts. It is owned by team orders. It calls redis."
    assert document.path == "graph.yaml#cart"
    assert source.graph.services["redis"].depends_on == ()


def test_a_mistake_in_the_graph_keeps_the_old_one_in_use(tmp_path: Path) -> None:
    path = tmp_path / "graph.yaml"
    path.write_text("services: {cart: {}}")
    source = GraphFileSource(str(path))
    assert source.listing().is_complete
    path.write_text("services: {cart: {depends_on: redis}}")
    listing = source.listing()
    assert listing.problems == (
        ("graph.yaml", "`services.cart.depends_on` must be a list of names"),
    )
    assert not listing.is_complete
    assert "cart" in source.graph.services
    path.write_bytes(b"\xff\xfe")
    assert source.listing().problems == (("graph.yaml", "not UTF-8 text"),)
    path.unlink()
    assert source.listing().problems == ((str(path), "the file does not exist"),)


def test_csv_sources_report_what_they_cannot_use(tmp_path: Path) -> None:
    logs = LogSource(str(tmp_path / "*.csv"))
    assert logs.listing().problems == ((str(tmp_path / "*.csv"), "no file matches"),)
    (tmp_path / "bad.csv").write_text("when,what\n1,2\n")
    (tmp_path / "good.csv").write_text("time,msg\n2026-03-04T10:00:00Z,hello\n")
    listing = logs.listing()
    assert [path for path, _ in listing.problems] == [str(tmp_path / "bad.csv")]
    assert "no column for moment, message among when, what" in listing.problems[0][1]
    assert logs.table.count() == 1
    metrics = MetricsSource(str(tmp_path / "none" / "*.csv"))
    assert metrics.listing().entries == ()
    assert metrics.load(Entry("x", "0")) == ()


def test_a_log_that_was_never_loaded_is_unreadable() -> None:
    with pytest.raises(UnreadableError, match="not loaded"):
        LogSource("nowhere/*.csv").load(Entry("a.csv", "0"))
