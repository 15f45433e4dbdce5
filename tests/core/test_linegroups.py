"""Lines of any log, grouped by what they say."""

from __future__ import annotations

from itertools import islice, product

from hypothesis import given, settings
from hypothesis import strategies as st

from core import linekeys
from core.linegroups import LineGroups, group_lines

LOG = """2026-03-01 10:00:00,123 INFO [main] com.fenwick.Pay - charge 17 of 3f9a2b71 done
2026-03-01 10:00:01,123 ERROR [main] com.fenwick.Pay - charge 18 failed

2026-03-01 10:00:02,123 INFO [main] com.fenwick.Pay - charge 1900 of 9bc3f2a1 done
Jun 14 15:16:01 combo sshd(pam_unix)[19939]: session opened for user ann by (uid=0)
Jun 14 15:16:02 combo sshd(pam_unix)[1]: session opened for user bob by (uid=12)
10.0.0.1 "GET /a/1 HTTP/1.1" status: 200 len: 5
10.0.0.2 "GET /b HTTP/1.1" status: 404 len: 55
10.0.0.2 "POST /b HTTP/1.1" status: 404 len: 55
"""


def test_each_line_has_the_group_of_what_it_says() -> None:
    grouped = group_lines(LOG)
    assert list(grouped.groups) == [0, 1, 2, 0, 3, 3, 4, 4, 5]
    assert grouped.templates[0] == "charge <*> of <*> done"
    assert grouped.templates[3] == "session opened for user <*> by (uid=<*>)"
    assert grouped.templates[4:] == (
        "<*> GET <*> status: <*> len: <*>",
        "<*> POST <*> status: <*> len: <*>",
    )


def test_words_that_vary_in_the_whole_log_are_variables() -> None:
    names = ("ann", "bob", "cleo", "dan", "eve", "fay")
    grouped = group_lines("\n".join(f"INFO cart of {name} emptied" for name in names))
    assert grouped.templates == ("cart of <*> emptied",)


def test_more_kinds_than_are_remembered_are_grouped_all_the_same() -> None:
    words = ["".join(letters) for letters in islice(product("ghijklm", repeat=6), 3000)]
    few = LineGroups(max_keys=100)
    few.feed("\n".join(f"{word} one" for word in words * 2))
    groups = list(few.finish().groups)
    assert groups[:3000] == groups[3000:]
    assert len(set(groups)) == 3000


@settings(max_examples=200)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300), st.integers(1, 40))
def test_any_text_in_any_pieces_has_as_many_groups_as_lines(text: str, size: int) -> None:
    pieces = LineGroups()
    for start in range(0, len(text), size):
        pieces.feed(text[start : start + size])
    grouped = pieces.finish()
    assert grouped == group_lines(text)
    assert len(grouped.groups) == text.count("\n") + (not text.endswith("\n") and bool(text))
    assert all(group < len(grouped.templates) for group in grouped.groups)


@given(st.text(alphabet="abcxyz019 -:", max_size=80))
def test_a_key_is_blind_to_which_digits_stand_there(line: str) -> None:
    other = line.translate(str.maketrans("019", "582"))
    assert linekeys.blind(line) == linekeys.blind(other)
    assert len(linekeys.blind(line)) == len(line)


def test_lines_with_ids_alone_different_share_a_key() -> None:
    one, other = (linekeys.blind(f"req-{part} of node done") for part in ("3f9a-2b71", "b-0c1"))
    assert linekeys.shorten(one) == linekeys.shorten(other)
    assert linekeys.has_id(one, linekeys.shorten(one))
    plain = linekeys.blind("took 35 ms")
    assert not linekeys.has_id(plain, linekeys.shorten(plain))
