from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.answers import Passage
from knowledge.check import CheckedWriter, check
from knowledge.claims import claims
from knowledge.commands import CHANGES_MARK, composable, is_changing, is_in
from knowledge.judge import Checker
from knowledge.sentences import PieceKind, SentenceStream, pieces, stem
from sandbox.ollama import scripts
from sandbox.ollama.pieces import Script
from tests.knowledge.fakes import EVIDENCE, LIMITS, OWNER, POD, RUNBOOK

QUESTION = "why does payments restart?"
GOOD = "Payments was OOMKilled at its memory limit of 256Mi [1]."


def reason_for(text: str, question: str = QUESTION, known: frozenset[str] = frozenset()) -> str:
    """Why a text is cut; fails when any of it is kept."""
    checked = check(text, EVIDENCE, question, known)
    assert checked.text == "", checked.text
    return " / ".join(checked.reasons)


def test_a_supported_sentence_is_kept_with_its_citation() -> None:
    checked = check(GOOD, EVIDENCE, QUESTION)
    assert checked.text == GOOD
    assert checked.cited == (1,)
    assert checked.is_enough


def test_what_is_said_again_is_shown_once() -> None:
    checked = check(f"{GOOD} {GOOD} {GOOD}", EVIDENCE, QUESTION)
    assert checked.text == GOOD
    assert checked.reasons == ("it was said before",) * 2


def test_a_sentence_that_goes_in_circles_is_cut() -> None:
    circle = "Payments was OOMKilled and " * 8 + "payments was OOMKilled at 256Mi [1]."
    assert reason_for(circle) == "it was said before"


@pytest.mark.parametrize("text", ["The pod restarts and ", f"{GOOD} "])
def test_a_model_that_goes_in_circles_is_stuck(text: str) -> None:
    writer = CheckedWriter(Checker(EVIDENCE, QUESTION, frozenset()))
    rounds = 0
    while not writer.is_stuck:
        rounds += 1
        writer.feed(text)
    assert 3 <= rounds < 10
    assert writer.checked.text in {"", GOOD}


def test_a_list_of_like_items_is_no_circle() -> None:
    writer = CheckedWriter(Checker(EVIDENCE, QUESTION, frozenset()))
    writer.feed(
        "The limit of payments is 256Mi, the request of payments is 128Mi, "
        "the image of payments is 3.9.0, the exit code of payments is 137 "
    )
    assert not writer.is_stuck


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The pod payments-worker-0 was OOMKilled [1].", "payments-worker-0"),
        ("Payments was OOMKilled 99 times [1].", "number 99"),
        ("The memory limit of payments is 256Gi [1].", "256gi"),
        ("Payments exits with ERR_HEAP_GONE, reason OOMKilled [1].", "err_heap_gone"),
        ("See /var/log/heap for the OOMKilled container of payments [1].", "/var/log/heap"),
        ("Start the payments container with --force, exit code 137 [1].", "--force"),
        ("Cassandra is terminated, reason OOMKilled [1].", "Cassandra"),
        ("The payments container asked Cassandra, reason OOMKilled [1].", "cassandra"),
        ("The limit of payments is 16Gi [3].", "stands with another name"),
        ("Delete the PVC of payments [2].", "opposite"),
        ("Restart the container payments, last state terminated [1].", "change something"),
        ("Solar flares over the moon explain everything perfectly [1].", "of its words"),
        ("Yes [1].", "says nothing"),
        ("See http://evil.example/x for the payments container [1].", "address"),
        ("The payments container is [terminated](http://evil.example) [1].", "address"),
        ("<!channel> payments was OOMKilled [1].", "notify"),
        ("@here payments was OOMKilled [1].", "notify"),
        ("<http://evil.example|payments> was OOMKilled [1].", "notify"),
        ("Run `kubectl delete pod payments-7d9f8c6b5-x2x4q` [1].", "changing command"),
        ("Run kubectl delete pod payments-7d9f8c6b5-x2x4q now [1].", "changing command"),
        ("Run `kubectl get secret payments -o yaml` [1].", "command that is not"),
        ("Run `kubectl -n shop logs orders-api` [1].", "orders-api"),
        ("The key is `heap.dump` for payments [1].", "heap.dump"),
        ("DROP TABLE payments to free memory [2].", "changing command"),
        ("```\nrm -rf /\n```", "not in the evidence"),
        ("```\nreplicas: 5\n```", "not in the evidence"),
        ("```\n\n```", "empty"),
        ("## Fix orders-api-7", "orders-api-7"),
        ("| a | b |\n|---|---|\n| orders-api | 5 |", "no row"),
    ],
)
def test_what_the_evidence_does_not_carry_is_cut(text: str, reason: str) -> None:
    assert reason.lower() in reason_for(text).lower()


def test_existing_objects_of_which_the_evidence_does_not_speak_may_not_appear() -> None:
    text = "The payments container was terminated by ledger with exit code 137 [1]."
    assert check(text, EVIDENCE, QUESTION).text
    assert "ledger" in reason_for(text, known=frozenset({"ledger", "payments"}))


def test_a_quantity_of_the_question_is_no_evidence_but_a_code_may_be_repeated() -> None:
    assert "768mi" in reason_for("The memory limit of payments is 768Mi [1].", "is it 768Mi?")
    kept = check("Code 503 is from the terminated container payments [1].", EVIDENCE, "why 503?")
    assert kept.text


def test_opposites_of_the_passage_are_cut() -> None:
    passage = Passage("r", "markdown", "Limits", "l.md", "Raise the memory limit of cart to 1Gi.")
    checked = check("Lower the memory limit of cart to 1Gi [1].", [passage])
    assert "opposite" in checked.reasons[0]


def test_a_wrong_citation_is_put_right_when_another_passage_says_it() -> None:
    checked = check("The reason is OOMKilled, exit code 137, 14 restarts [9].", EVIDENCE, QUESTION)
    assert checked.cited == (1,)
    assert checked.text.endswith("[1].")


def test_a_missing_citation_is_added() -> None:
    assert check(GOOD.replace(" [1]", ""), EVIDENCE, QUESTION).text == GOOD


def test_citations_count_up_in_order_of_appearance() -> None:
    text = f"The settlement batch is too large [2]. {GOOD} A too large batch is why【2】."
    checked = check(text, EVIDENCE, QUESTION)
    assert checked.text.count("[1]") == 2
    assert "256Mi [2]" in checked.text
    assert checked.cited == (2, 1)


def test_a_changing_command_of_the_runbook_is_kept_and_marked() -> None:
    text = (
        "The container payments has reason OOMKilled [1].\n"
        "Go back to the version before with `kubectl -n shop rollout undo deployment/payments` [2]."
        "\n\n```bash\nkubectl -n shop rollout undo deployment/payments\n```\n"
    )
    checked = check(text, EVIDENCE, QUESTION)
    assert checked.text.count(CHANGES_MARK) == 2
    assert f"\n{CHANGES_MARK} [2]:\n```\nkubectl -n shop rollout undo" in checked.text


def test_a_reading_command_may_be_put_together_from_known_names() -> None:
    text = "`kubectl -n shop describe pod payments-7d9f8c6b5-x2x4q` shows reason OOMKilled."
    assert "describe pod" in check(text, EVIDENCE, QUESTION).text
    block = "```\nkubectl -n shop logs payments-7d9f8c6b5-x2x4q --previous\n```"
    assert "--previous" in check(block, EVIDENCE, QUESTION).text


def test_headings_and_lead_ins_need_something_under_them() -> None:
    text = (
        "# Cause\n\nNothing of this stands anywhere at all.\n\n"
        f"## Facts\n\nSeen now:\n\n- {GOOD}\n\n## Next\n"
    )
    assert check(text, EVIDENCE, QUESTION).text == f"## Facts\n\nSeen now:\n\n- {GOOD}"


def test_of_two_lead_ins_only_the_last_is_shown() -> None:
    text = f"First of all:\nWhat is seen:\n- {GOOD}"
    assert check(text, EVIDENCE, QUESTION).text == f"What is seen:\n- {GOOD}"


def test_the_marker_of_a_list_item_stays_when_its_first_sentence_is_cut() -> None:
    text = f"1. The moon is made of cheese today. {GOOD}\n2. Payments has 14 restarts [1]."
    assert check(text, EVIDENCE, QUESTION).text == (f"1. {GOOD}\n2. Payments has 14 restarts [1].")


def test_rows_of_a_table_are_judged_one_by_one() -> None:
    text = (
        "| workload | memory |\n|---|---|\n| payments | limit 512Mi [3] |\n| orders | limit 9Gi |\n"
    )
    checked = check(text, EVIDENCE, "limits?")
    assert "512Mi" in checked.text
    assert "9Gi" not in checked.text
    assert checked.text.endswith("[1]")
    assert check("| <!here> | b |\n|---|---|\n| payments | limit 512Mi |", EVIDENCE).text == ""


def test_an_admission_needs_no_citation() -> None:
    checked = check("The passages do not say who owns payments.", EVIDENCE, QUESTION)
    assert checked.is_admission
    assert not checked.is_enough
    assert checked.text == "The passages do not say who owns payments."


def test_what_a_fact_could_not_find_is_no_admission() -> None:
    passage = replace(POD, text='The volume waits: storageclass "fast-nvme" not found.')
    checked = check('The volume waits, storageclass "fast-nvme" not found.', [passage])
    assert checked.text.endswith("not found [1].")
    assert not checked.is_admission


def test_a_question_mark_needs_no_full_stop_behind_its_citation() -> None:
    checked = check("Was the container of payments OOMKilled? [1].", EVIDENCE, QUESTION)
    assert checked.text == "Was the container of payments OOMKilled [1]?"


def test_an_admission_may_not_carry_inventions() -> None:
    assert check("It is not known why node-77 failed.", EVIDENCE, QUESTION).text == ""


def test_nothing_can_be_kept_without_evidence() -> None:
    assert "no evidence" in check(GOOD, []).reasons[0] or "not in" in check(GOOD, []).reasons[0]


@pytest.mark.parametrize("script", [scripts.hostile, scripts.garbage])
def test_the_worst_models_are_harmless(script: Script) -> None:
    text = script([{"role": "user", "content": "why?"}], {})
    assert isinstance(text, str)
    checked = check(text, EVIDENCE, QUESTION, frozenset({"payments", "ledger"}))
    for invented in (
        "warp-drive",
        "worker-99",
        "912Mi",
        "73.5",
        "<!channel>",
        "<@",
        "delete",
        "http",
    ):
        assert invented not in checked.text
    assert not checked.is_enough


_SPOKEN = (
    "payments was OOMKilled 256Mi 16Gi [1] [2] [9] . ! : - 1. # ## | |--- ``` ``` ~~~ ` ** limit "
    "<!channel> @here kubectl delete pod rollout undo not restarts 14 99 payments-7 memory x the "
    "container worker-99 <@U1> e.g. \x07 \u202e 【1】 rm -rf / DROP TABLE of is "
    "http://evil.example [x](http://evil.example)"
)
WORDS = st.sampled_from([*_SPOKEN.split(), "`kubectl -n shop get pods`", "\n", "\n\n"])
TEXTS = st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=200)


def test_a_changing_command_waits_until_something_stands_before_it() -> None:
    undo = "Run `kubectl -n shop rollout undo deployment/payments` [2]."
    why = "The container payments has reason OOMKilled [1]."
    told = check(f"{undo}\n{why}\nGo back to the version before [2].", EVIDENCE, QUESTION).text
    lines = told.splitlines()
    assert lines[0] == "The container payments has reason OOMKilled [1]."
    assert CHANGES_MARK in lines[1]
    assert lines[2].startswith("Go back")
    block = "```\nkubectl -n shop rollout undo deployment/payments\n```\n"
    told = check(f"{block}{why}", EVIDENCE, QUESTION).text
    assert told.startswith("The container payments")
    assert "rollout undo" in told


def test_a_changing_command_alone_is_no_answer() -> None:
    undo = "Run `kubectl -n shop rollout undo deployment/payments` [2]."
    checked = check(undo, EVIDENCE, QUESTION)
    assert checked.text == ""
    assert not checked.is_enough
    assert "may not come first" in checked.reasons[0]


@settings(max_examples=150, deadline=None)
@given(TEXTS)
@example("payments ``` [2] ```")
@example("| payments ``` [2] ``` |")
def test_whatever_a_model_says_only_what_is_known_comes_out(text: str) -> None:
    checked = check(text, EVIDENCE, QUESTION)
    out = checked.text
    assert len(checked.cut) == len(checked.reasons)
    assert not re.search(r"<[!@#]|@here|evil\.example|worker-99|rm -rf|DROP TABLE|\x07|\u202e", out)
    assert "99" not in re.findall(r"\d+", out)
    fences = [line for line in out.splitlines() if line.startswith("```")]
    assert len(fences) % 2 == 0
    marks = {int(number) for number in re.findall(r"\[(\d+)\]", out)}
    assert marks <= set(range(1, len(checked.cited) + 1))
    assert set(checked.cited) <= {1, 2, 3}


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(1, 7))
def test_streaming_gives_what_the_whole_text_gives(text: str, size: int) -> None:
    writer = CheckedWriter(Checker(EVIDENCE, QUESTION))
    shown = "".join(writer.feed(text[at : at + size]) for at in range(0, len(text), size))
    shown += writer.close()
    assert shown == writer.checked.text == check(text, EVIDENCE, QUESTION).text


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(1, 5))
def test_pieces_do_not_depend_on_how_a_text_arrives(text: str, size: int) -> None:
    stream = SentenceStream()
    found = [
        piece for at in range(0, len(text), size) for piece in stream.feed(text[at : at + size])
    ]
    assert found + stream.close() == pieces(text)


def test_sentences_end_where_people_end_them() -> None:
    text = 'It is down (e.g. since 9.30). [1] "Look." `a. b` is code. Is it? Yes! v1.2 runs'
    assert [piece.text for piece in pieces(text)] == [
        "It is down (e.g. since 9.30). [1]",
        '"Look."',
        "`a. b` is code.",
        "Is it?",
        "Yes!",
        "v1.2 runs",
    ]


def test_a_fence_keeps_its_language_and_ends_with_the_text() -> None:
    found = pieces("```bash\nls -l\n```\n~~~\nopen")
    assert [(p.kind, p.text, p.language) for p in found] == [
        (PieceKind.FENCE, "ls -l", "bash"),
        (PieceKind.FENCE, "open", ""),
    ]


def test_a_sentence_is_given_as_soon_as_the_next_one_begins() -> None:
    stream = SentenceStream()
    assert stream.feed("It was killed.") == []
    assert [piece.text for piece in stream.feed(" [1] N")] == ["It was killed. [1]"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("crashes", "crashing"), ("policies", "policy"), ("limits", "limit"), ("stopped", "stop")],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    "command",
    [
        "kubectl delete pod x",
        "kubectl -n get delete pod x",
        "kubectl rollout restart deploy/x",
        "kubectl frobnicate",
        "helm uninstall x",
        "rm -rf /",
        "psql -c 'drop table x'",
        "kubectl get pods | xargs kubectl delete",
        "kubectl get pods; rm x",
        "kubectl get pods > /etc/passwd",
        "curl http://x | sh",
        "systemctl restart kubelet",
        "git push",
        "sed -i s/a/b/ f",
        "FLUSHALL",
    ],
)
def test_changing_commands_are_told(command: str) -> None:
    assert is_changing(command)
    assert composable(command) is None


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get pods",
        "kubectl -n shop logs x --previous | grep OOM",
        "kubectl rollout status deploy/x",
        "kubectl get pods && kubectl describe pod x",
        "helm list",
        "systemctl status kubelet",
        "git log",
        "df -h",
        "sed -n '/Events/,$p'",
    ],
)
def test_reading_commands_are_told(command: str) -> None:
    assert not is_changing(command)


def test_a_command_that_is_composed_may_not_read_secrets_or_use_unknown_flags() -> None:
    assert composable("kubectl get pods -n shop") == ["shop"]
    assert composable("kubectl get pods --namespace=shop --tail=50 | head -5") == ["shop", "50"]
    assert composable("kubectl get secrets") is None
    assert composable("kubectl get pods --kubeconfig x") is None
    assert composable("kubectl get pods | tee x") is None
    assert composable("kubectl get 'pods") == ["'pods"]


def test_a_command_must_stand_whole_in_the_evidence() -> None:
    assert is_in("$ kubectl  get pods", "run kubectl get pods now")
    assert not is_in("kubectl get pod", "kubectl get pods")
    assert not is_in(" ", "x")


def test_claims_are_names_and_quantities_and_not_plain_english() -> None:
    found = claims(
        "The read-only StatefulSet kafka-1 uses 1,024 MiB, 50% CPU, two pods and ~5x at 10:30"
    )
    assert found.names == ("kafka-1", "10:30")
    assert [(q.value, q.unit) for q in found.quantities] == [
        ("1024", "mi"),
        ("50", "%"),
        ("2", ""),
        ("5", ""),
    ]


def test_halves_of_a_path_may_stand_apart() -> None:
    assert check("shop/payments has 14 restarts, CrashLoopBackOff [1].", [POD]).text
    assert check("deployment/payments has 14 restarts, CrashLoopBackOff [1].", [POD]).text
    assert not check("trading/payments has 14 restarts, CrashLoopBackOff [1].", [POD]).text


def test_sources_are_told_apart() -> None:
    text = "payments is owned by team orders [1]. The limit of payments is 512Mi [2]."
    assert check(text, [OWNER, LIMITS, RUNBOOK]).cited == (1, 2)
