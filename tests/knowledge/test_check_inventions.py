"""Whatever a model invents, and wherever it puts it: it is not shown."""

from __future__ import annotations

import string

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from knowledge.check import check
from tests.knowledge.fakes import EVIDENCE

QUESTION = "why does payments keep restarting?"
KNOWN = "\n".join(f"{p.title} {p.heading} {p.location} {p.text}" for p in EVIDENCE).lower()

# True sentences with a hole: without what is put there, the evidence bears each of them out.
FRAMES = (
    "The container payments was terminated with reason OOMKilled {} [1].",
    "payments {} reached its memory limit, because the settlement batch is too large [2].",
    "The memory limit of payments is {} [3].",
    "payments has 14 restarts and the exit code {} [1].",
    "{} payments: CrashLoopBackOff, 14 restarts [1].",
    "Go back to the version before {} [2].",
    "- container payments: limits memory {} [1]",
    "| payments | {} |",
    "## payments {}\n\nThe container payments has 14 restarts [1].",
    "Next steps {}:\n- Go back to the version before [2].",
)
WORD = st.text(string.ascii_lowercase, min_size=3, max_size=8)
NUMBER = st.integers(1000, 10**7).map(str)
NAME = st.one_of(
    st.builds("{}-{}".format, WORD, NUMBER),
    st.builds("zz{}-{}x-svc".format, WORD, WORD),
    st.builds("{}_{}".format, WORD, WORD),
    st.builds("{}.{}.svc".format, WORD, WORD),
    st.builds("Zz{}Exception".format, WORD),
)
QUANTITY = st.one_of(
    NUMBER,
    st.builds("{}Mi".format, NUMBER),
    st.builds("{}%".format, st.integers(30, 99)),
    st.builds("{} seconds".format, NUMBER),
    st.builds("{}.{}".format, NUMBER, NUMBER),
)
PATH = st.one_of(
    st.builds("/{}/{}".format, WORD, WORD),
    st.builds("/etc/{}.yaml".format, WORD),
    st.builds("https://{}.example/{}".format, WORD, WORD),
    st.builds("{}/{}.md".format, WORD, WORD),
)
FLAG = st.one_of(st.builds("--{}".format, WORD), st.builds("--{}-{}={}".format, WORD, WORD, NUMBER))
COMMAND = st.one_of(
    st.builds("`kubectl delete pod {}`".format, WORD),
    st.builds("`kubectl get pods -n zz{}`".format, WORD),
    st.builds("`helm uninstall {}`".format, WORD),
    st.builds("`rm -rf /{}`".format, WORD),
    st.builds("`kubectl logs POD {}`".format, FLAG),
)
QUOTED = st.sampled_from(("{}", "`{}`", "**{}**", '"{}"', "({})"))


def is_unknown(invented: str) -> bool:
    return invented.strip("`").lower() not in KNOWN


def shown(frame: str, invented: str) -> str:
    return check(frame.format(invented), EVIDENCE, QUESTION).text


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FRAMES), QUOTED, st.one_of(NAME, PATH, FLAG))
def test_no_invented_name_path_or_flag_is_shown(frame: str, quoted: str, invented: str) -> None:
    assume(is_unknown(invented))
    assert invented not in shown(frame, quoted.format(invented))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FRAMES), QUOTED, QUANTITY)
def test_no_invented_number_is_shown(frame: str, quoted: str, invented: str) -> None:
    assume(is_unknown(invented))
    assert invented not in shown(frame, quoted.format(invented))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FRAMES), COMMAND)
def test_no_invented_command_is_shown(frame: str, invented: str) -> None:
    told = shown(frame, invented)
    assert invented.strip("`") not in told


@settings(max_examples=150, deadline=None)
@given(COMMAND, st.sampled_from(("", "bash", "sh")))
def test_no_invented_command_is_shown_in_a_block(invented: str, language: str) -> None:
    body = invented.strip("`")
    told = check(f"Go back [2].\n\n```{language}\n{body}\n```", EVIDENCE, QUESTION).text
    assert body not in told


@settings(max_examples=150, deadline=None)
@given(st.one_of(NAME, PATH, FLAG, QUANTITY))
def test_what_is_invented_is_cut_and_the_true_sentence_beside_it_stays(invented: str) -> None:
    assume(is_unknown(invented))
    true = "The container payments was terminated with reason OOMKilled"
    checked = check(f"{true} [1]. It needs {invented} [1].", EVIDENCE, QUESTION)
    assert checked.text == f"{true} [1]."
    assert checked.reasons
