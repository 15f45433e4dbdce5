"""Whatever lies in a folder: links that run round, pipes, bytes that are no text, giants."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from knowledge.csvtable import LONGEST_LINE_BYTES
from knowledge.documents import Entry, UnreadableError
from knowledge.files import list_folder, list_glob, read_text
from knowledge.sources import open_source
from knowledge.sources.logs import LogSource
from knowledge.sources.metrics import MetricsSource

HEADER = "timestamp,level,namespace,pod,container,code,message\n"
ROW = "2026-03-04T11:30:00Z,ERROR,shop,payments-6c9d8b7f5b-x2k4q,payments,503,heap is full\n"
MARKDOWN = frozenset({".md"})


def names(pattern: str, base: Path) -> list[str]:
    entries = list_glob(f"{base}/{pattern}").entries
    return [str(Path(entry.path).relative_to(base)) for entry in entries]


def test_a_pattern_of_any_depth_matches_as_a_shell_does(tmp_path: Path) -> None:
    for name in ("a.csv", "b.txt", "x/c.csv", "x/y/d.csv", ".hidden/e.csv", "x/.f.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert names("**/*.csv", tmp_path) == ["a.csv", "x/c.csv", "x/y/d.csv"]
    assert names("x/**/*.csv", tmp_path) == ["x/c.csv", "x/y/d.csv"]
    assert names("**/y/*", tmp_path) == ["x/y/d.csv"]
    assert names("*/*.csv", tmp_path) == ["x/c.csv"]
    assert names("**/.f.csv", tmp_path) == ["x/.f.csv"]


def test_links_that_run_round_are_named_and_end_no_search(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.csv").touch()
    # Two loops side by side: a search that follows both doubles its work at every step.
    for name in ("one", "two"):
        (tmp_path / "logs" / name).symlink_to(tmp_path / "logs")
    (tmp_path / "logs" / "self.csv").symlink_to("self.csv")
    listing = list_glob(f"{tmp_path}/logs/**/*.csv")
    assert [Path(entry.path).name for entry in listing.entries] == ["a.csv"]
    assert sorted(why for _, why in listing.problems) == [
        "a link to a folder listed already",
        "a link to a folder listed already",
        "too many levels of symbolic links",
    ]
    assert list_glob(f"{tmp_path}/logs/self.csv").problems[0][1] == (
        "too many levels of symbolic links"
    )


def test_what_is_no_regular_file_is_named_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "tape.md").symlink_to("/dev/zero")
    assert dict(list_folder(tmp_path, MARKDOWN).problems) == {
        "pipe.md": "not a regular file",
        "tape.md": "not a regular file",
    }
    problems = list_glob(f"{tmp_path}/*.csv").problems
    assert problems[0] == (f"{tmp_path}/pipe.csv", "not a regular file")
    assert len(problems) == 2
    with pytest.raises(UnreadableError, match="not a regular file"):
        read_text(tmp_path / "pipe.md")


def test_names_that_are_no_text_are_named_as_well_as_can_be(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    for name in (b"gr\xf6\xdfe.md", b"gr\xf6\xdfe.csv"):
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123  (a Path holds no bytes)
            file.write(b"text")
    assert list_folder(tmp_path, MARKDOWN).problems == (
        ("gr\ufffd\ufffde.md", "its name is not UTF-8 text"),
    )
    ((place, why), _) = list_glob(f"{tmp_path}/*.csv").problems
    assert (place, why) == (f"{tmp_path}/gr\ufffd\ufffde.csv", "its name is not UTF-8 text")


@pytest.mark.parametrize("scheme", ["markdown", "csv-logs", "graph", "backstage"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, scheme: str) -> None:
    suffix = {"markdown": "md", "backstage": "yaml"}.get(scheme, "csv")
    # Reading one's own memory at 0 fails, for root as well, though the file looks like any other.
    (tmp_path / f"broken.{suffix}").symlink_to("/proc/self/mem")
    place = {"csv-logs": f"{tmp_path}/*.csv", "graph": f"{tmp_path}/broken.csv"}
    source = open_source(f"{scheme}:{place.get(scheme, tmp_path)}")
    listing = source.listing()
    problems = list(listing.problems)
    if scheme == "markdown":
        with pytest.raises(UnreadableError) as wrong:
            source.load(listing.entries[0])
        problems.append((listing.entries[0].path, str(wrong.value)))
    assert (Path(problems[0][0]).name, problems[0][1]) == (
        f"broken.{suffix}",
        "input/output error",
    )


class TestCsv:
    @pytest.mark.parametrize(
        ("content", "count", "why"),
        [
            (HEADER + ROW + "short,row\n" + ROW, 2, "1 line of it cannot be used"),
            (HEADER + ROW + ROW.strip() + ",x,y\n" + ROW, 2, "1 line of it cannot be used"),
            (HEADER + ROW + "no time" + ROW[20:], 1, "1 line of it cannot be used"),
            (
                HEADER + ROW * 3 + '2026-03-04T11:30:00Z,INFO,"open' + ROW * 2,
                3,
                "1 line of it cannot be used",
            ),
            (HEADER + ROW * 2 + "x" * (LONGEST_LINE_BYTES + 1) + "\n", 2, "1 line of it"),
            (HEADER + ROW + "\r\n" + ROW * 2, 3, ""),
            (HEADER + ROW.replace("\n", "\r\n") + ROW, 2, ""),
            ("\ufeff" + HEADER + "\n\n" + ROW, 1, ""),
            (HEADER.replace("code", "pod") + ROW, 1, ""),
            (HEADER, 0, ""),
            ("", 0, "no column for moment, message among none"),
            ("\0" * 100_000, 0, "not UTF-8 text"),
        ],
    )
    def test_lines_that_cannot_be_used_cost_themselves_alone(
        self, tmp_path: Path, content: str, count: int, why: str
    ) -> None:
        (tmp_path / "a.csv").write_text(content, newline="")
        source = LogSource(f"{tmp_path}/*.csv")
        told = "".join(problem for _, problem in source.listing().problems)
        assert told.startswith(why)
        assert bool(told) == bool(why)
        assert source.table.count() == count

    @pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
    def test_an_unknown_encoding_is_named(self, tmp_path: Path, encoding: str) -> None:
        (tmp_path / "other.csv").write_bytes(HEADER.encode(encoding) + "Größe".encode(encoding))
        (tmp_path / "good.csv").write_text(HEADER + ROW)
        source = LogSource(f"{tmp_path}/*.csv")
        ((place, why),) = source.listing().problems
        assert Path(place).name == "other.csv"
        assert why in {"not UTF-8 text", "1 line of it cannot be used"}
        assert source.table.count() == 1

    def test_single_lines_of_another_encoding_are_counted(self, tmp_path: Path) -> None:
        line = ROW.replace("heap", "Größe").encode("latin-1")
        (tmp_path / "a.csv").write_bytes((HEADER + ROW * 2000).encode() + line * 2 + ROW.encode())
        source = LogSource(f"{tmp_path}/*.csv")
        ((_, why),) = source.listing().problems
        assert why == "2 lines of it cannot be used"
        assert source.table.count() == 2001

    def test_a_log_of_a_hundred_megabytes_is_loaded_whole(self, tmp_path: Path) -> None:
        count = 100_000_000 // len(ROW) + 1
        info = ROW.replace("ERROR", "INFO!")
        with (tmp_path / "big.csv").open("w") as file:
            file.write(HEADER + ROW)
            for _ in range(count // 10_000):
                file.write(info * 10_000)
            file.write(info * (count % 10_000 - 1) + "broken\n")
        assert (tmp_path / "big.csv").stat().st_size > 100_000_000
        source = LogSource(f"{tmp_path}/*.csv")
        listing = source.listing()
        assert source.table.count() == count
        assert [why for _, why in listing.problems] == ["1 line of it cannot be used"]
        (document,) = source.load(listing.entries[0])
        assert "heap is full" in document.text
        source.table.table.close()

    def test_metrics_count_what_is_no_number(self, tmp_path: Path) -> None:
        (tmp_path / "m.csv").write_text("time,series,value\n1772623800,a,1\n1772623800,a,x\n,,\n")
        source = MetricsSource(f"{tmp_path}/*.csv")
        assert [why for _, why in source.listing().problems] == ["2 lines of it cannot be used"]
        assert source.table.count() == 1


def test_a_page_of_a_hundred_megabytes_is_named_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "big.md").touch()
    os.truncate(tmp_path / "big.md", 100_000_000)
    source = open_source(f"markdown:{tmp_path}")
    with pytest.raises(UnreadableError, match="larger than 2 MB"):
        source.load(source.listing().entries[0])
    # A file may say that it is empty and not end.
    with pytest.raises(UnreadableError, match=r"input/output error"):
        read_text(Path("/proc/self/mem"))


def test_front_matter_that_is_nested_without_end_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep.md").write_text("---\nx: " + "[" * 50_000 + "\n---\ntext")
    source = open_source(f"markdown:{tmp_path}")
    with pytest.raises(
        UnreadableError, match="in its front matter: it is nested more than 200 deep"
    ):
        source.load(Entry("deep.md", ""))
