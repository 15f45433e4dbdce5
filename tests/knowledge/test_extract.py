from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from core.answers import Passage
from core.questions import Intent
from knowledge.blocks import BlockKind, blocks, sentences
from knowledge.commands import CHANGES_MARK
from knowledge.extract import extract
from tests.knowledge.fakes import EVIDENCE, LIMITS, OWNER, POD, RUNBOOK, reading

WHY = reading("why does payments keep restarting?", names=["payments"], intents=[Intent.WHY])

WHY_ANSWER = """\
container payments: last state terminated, reason OOMKilled, exit code 137 [1]

**What I see**
- payments-7d9f8c6b5-x2x4q: CrashLoopBackOff, 14 restarts [1]
- container payments: limits memory 256Mi, requests memory 128Mi [1]
- image registry.example.com/shop/payments:3.9.0 [1]

**They differ:** the cluster has a memory limit of 256Mi [1], written down is 512Mi [3].

**What the runbook says** (Look first)
- `Reason: OOMKilled` with exit code 137 means that the container of payments reached its memory \
limit, because the settlement batch is too large [2].

1. What did it do last [2]?
   ```bash
   kubectl -n shop logs POD -c payments --previous --tail=40
   ```
2. Go back to the version before [2].
   ⚠️ changes the cluster:
   ```bash
   kubectl -n shop rollout undo deployment/payments
   ```

**Next, only reads** [1]
```
kubectl -n shop logs payments-7d9f8c6b5-x2x4q --previous --tail=50
```"""


def test_a_why_is_answered_by_facts_then_the_cause_then_steps_then_a_safe_command() -> None:
    assert extract(WHY, EVIDENCE) == WHY_ANSWER


def test_an_owner_is_told_by_the_graph_alone() -> None:
    asked = reading("who owns payments?", names=["payments"], intents=[Intent.OWNER])
    text = extract(asked, (OWNER, RUNBOOK))
    assert text.splitlines()[0] == (
        "payments is owned by team orders (#team-orders, primary Tomás Brandt) [1]."
    )
    assert "[2]" not in text


def test_a_setting_is_told_by_its_row() -> None:
    asked = reading("CPU of matching-engine?", names=["matching-engine"], intents=[Intent.CONFIG])
    text = extract(asked, (RUNBOOK, LIMITS))
    assert "- matching-engine — CPU: 8; memory limit: limit 16Gi [2]" in text
    assert "payments —" not in text


def test_a_how_to_shows_the_steps_of_the_page_that_names_the_object() -> None:
    other = replace(
        RUNBOOK, id="other", title="redis", location="runbooks/redis.md", service="redis",
        text="1. Look at redis.\n2. Wait.\n",
    )  # fmt: skip
    asked = reading("how do I fix redis?", names=["redis"], intents=[Intent.HOW])
    text = extract(asked, (RUNBOOK, other))
    assert "1. Look at redis [2]." in text
    assert "2. Wait [2]." in text


def test_lines_of_a_log_come_in_their_order() -> None:
    log = Passage(
        "l", "csv-logs", "Lines with code 503", "app.csv",
        "| time | pod | code |\n|---|---|---|\n| 10:01 | a | 503 |\n| 10:02 | b | 503 |\n",
        is_fact=True,
    )  # fmt: skip
    asked = reading("lines with code 503", codes=["503"], intents=[Intent.LOGS], limit=10)
    text = extract(asked, (log, RUNBOOK))
    assert text.index("10:01") < text.index("10:02")
    assert "[2]" not in text


def test_the_same_line_at_another_time_is_told_once_unless_lines_were_asked_for() -> None:
    log = Passage(
        "l", "csv-logs", "Lines", "app.csv",
        "10:01 payments OutOfMemoryError\n10:02 payments OutOfMemoryError\nThe last 2:\n",
        is_fact=True,
    )  # fmt: skip
    assert extract(WHY, (log,)).count("OutOfMemoryError") == 1
    asked = reading("log lines of payments", names=["payments"], intents=[Intent.LOGS])
    assert extract(asked, (log,)).count("OutOfMemoryError") == 2
    assert "The last 2" not in extract(asked, (log,))


def test_similar_troubles_are_told_by_their_reports() -> None:
    one = Passage(
        "1", "markdown", "INC-2031: payments OOM", "incidents/inc-2031.md",
        "Payments was OOMKilled in the settlement run. It rained.",
    )  # fmt: skip
    two = replace(one, id="2", text="Payments got more memory.")
    asked = reading("similar to payments OOM?", names=["payments"], intents=[Intent.SIMILAR])
    text = extract(asked, (POD, RUNBOOK, one, two))
    assert "- **INC-2031: payments OOM**: Payments was OOMKilled in the settlement run [3]." in text
    assert "[2]" not in text
    assert "[4]" not in text
    text = extract(asked, (RUNBOOK,))
    assert text.startswith("**Written about something like it**\n- **payments restarts**")


def test_who_calls_is_told_first_when_asked_what_depends_on_it() -> None:
    asked = reading("what depends on payments?", names=["payments"], intents=[Intent.DEPENDENCIES])
    assert extract(asked, (OWNER,)).startswith("Service payments: Called by: checkout [1].")


def test_the_owner_is_not_the_answer_to_a_how_to() -> None:
    asked = reading("how do I fix payments?", names=["payments"], intents=[Intent.HOW])
    assert "owned by" not in extract(asked, (OWNER, RUNBOOK))
    assert "owned by" in extract(asked, (OWNER,))


def test_a_long_fact_is_told_by_its_sentences() -> None:
    fact = replace(OWNER, text="payments is blue. " + "Payments has many words here. " * 12)
    asked = reading("what colour is payments, blue?", names=["payments"], intents=[Intent.OWNER])
    assert extract(asked, (fact,)).splitlines()[0] == "payments is blue [1]."


def test_a_fact_that_changes_the_cluster_is_marked_and_not_first() -> None:
    fact = replace(POD, text="payments restarted\nran `kubectl delete pod payments` by hand")
    text = extract(WHY, (fact,))
    assert f"- ran `kubectl delete pod payments` by hand ({CHANGES_MARK}) [1]" in text
    assert text.startswith("payments restarted [1]")


def test_a_fact_says_whom_it_speaks_of() -> None:
    node = replace(
        POD, id="node", title="Node worker-3", location="Node//worker-3", kind="Node",
        namespace="", service="", text="NotReady since 10:00, kubelet stopped posting",
    )  # fmt: skip
    asked = reading("what is wrong with worker-3?", names=["worker-3"], intents=[Intent.STATUS])
    text = extract(asked, (node,))
    assert text.startswith("Node worker-3: NotReady since 10:00")
    assert "kubectl describe node worker-3" in text


def test_prose_alone_gives_a_lead_and_the_sentences_beside_it() -> None:
    page = Passage(
        "p", "markdown", "Ring buffer", "docs/ring.md",
        "The ring buffer holds 65,536 slots. The weather is nice in spring. "
        "When the ring buffer is 80 % full, the gateway refuses orders.",
    )  # fmt: skip
    asked = reading("what does the ring buffer hold?", intents=[Intent.STATUS])
    text = extract(asked, (page,))
    assert text.startswith("The ring buffer holds 65,536 slots [1].")
    assert "weather" not in text


def test_without_steps_the_block_beside_the_best_sentence_is_shown_and_marked() -> None:
    page = Passage(
        "p", "markdown", "redis failover", "runbooks/redis.md",
        "Force a failover of redis when the primary is sick:\n"
        "Then redis fails over within 15 s.\n\n```bash\n"
        "kubectl -n platform exec redis-1 -- redis-cli failover\n```\n", heading="Force a failover",
    )  # fmt: skip
    asked = reading("how do I force a redis failover?", names=["redis"], intents=[Intent.HOW])
    text = extract(asked, (page,))
    assert f"{CHANGES_MARK}:\n```bash\nkubectl -n platform exec" in text
    assert "Next, only reads" not in text


def test_a_command_of_the_page_gets_the_pods_name() -> None:
    page = replace(
        RUNBOOK,
        text="Payments restarts because of memory.\n\n```\nkubectl -n shop top pod POD\n```\n",
    )
    asked = reading("is payments up?", names=["payments"], intents=[Intent.STATUS, Intent.LIMITS])
    text = extract(asked, (POD, page))
    assert text.endswith("```\nkubectl -n shop top pod payments-7d9f8c6b5-x2x4q\n```")


def test_commands_for_another_place_or_secrets_are_not_the_next_step() -> None:
    page = replace(
        RUNBOOK,
        text="```\nkubectl -n trading get pods\nkubectl -n shop get secret x\n"
        "kubectl -n shop get <thing>\nls -l\n```\nPayments restarts because of memory.",
    )
    text = extract(WHY, (POD, page))
    assert "logs payments-7d9f8c6b5-x2x4q --previous --tail=50" in text.rsplit("**Next", 1)[1]


def test_long_lines_are_cut_and_long_answers_end() -> None:
    page = replace(
        RUNBOOK, text="Payments restarts because " + "`of memory` and **more** " * 60 + "."
    )
    many = [replace(page, id=str(n), title=f"page {n}") for n in range(8)]
    text = extract(WHY, [POD, *many], limit_words=80)
    assert len(text.split()) < 200
    assert " … [2]" in text
    assert text.count("`") % 2 == 0


def test_nothing_gives_nothing() -> None:
    assert extract(WHY, ()) == ""
    assert extract(WHY, (replace(RUNBOOK, text="---\n\n# Head\n"),)) == ""


def test_marks_in_a_page_do_not_read_as_citations() -> None:
    page = replace(RUNBOOK, text="Payments restarts because of memory, see note [7] there.")
    assert "(7)" in extract(WHY, (page,))
    assert "[7]" not in extract(WHY, (page,))


def test_blocks_join_wrapped_lines_and_keep_commands_whole() -> None:
    text = (
        "intro goes\non [here](http://x)\n\n1. step\n   more\n\n"
        "   ```bash\n   a \\\n     b\n   ```\n"
        "- [ ] item\n  - nested\n\n---\n## Head\n"
        "| a | b |\n|---|---|\n| x | `y\\|z` |\n| only |\n"
        "| | |\n~~~\nopen"
    )
    found = blocks(text)
    assert [(b.kind, b.text) for b in found] == [
        (BlockKind.PARAGRAPH, "intro goes on here"),
        (BlockKind.STEP, "step more"),
        (BlockKind.FENCE, "a \\\n  b"),
        (BlockKind.BULLET, "item"),
        (BlockKind.BULLET, "nested"),
        (BlockKind.HEADING, "Head"),
        (BlockKind.ROW, "x — b: `y|z`"),
        (BlockKind.ROW, "only"),
        (BlockKind.FENCE, "open"),
    ]
    assert found[2].is_nested
    assert sentences(found[6]) == ["x — b: `y|z`"]


LINES = st.sampled_from(
    [
        "payments was OOMKilled because of memory.", "1. Look.", "2. `kubectl delete pod x`", "```",
        "```bash", "kubectl -n shop get pods", "| a | b |", "|---|---|", "- x [3]", "# H", "",
        "   ", "~~~", "````",
        "limits memory 1Gi", "title: x\nservice: y", "<!channel>", "[l](http://x)",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.lists(LINES, max_size=12), st.booleans()), max_size=4),
    st.sets(st.sampled_from(list(Intent)), max_size=3),
)
def test_any_passages_give_balanced_markdown_with_valid_citations(
    pages: list[tuple[list[str], bool]], intents: set[Intent]
) -> None:
    passages = [
        replace(POD if is_fact else RUNBOOK, id=str(n), text="\n".join(lines), is_fact=is_fact)
        for n, (lines, is_fact) in enumerate(pages)
    ]
    asked = reading("why does payments restart?", names=["payments"], intents=list(intents))
    text = extract(asked, passages)
    cited = re.findall(r"\[(\d+)\]", re.sub(r"(?s)```.*?```", "", text))
    assert {int(n) for n in cited} <= set(range(1, len(passages) + 1))
    assert len(re.findall(r"^\s*(?:```+)", text, re.MULTILINE)) % 2 == 0
    first = text.splitlines()[0] if text else ""
    assert "kubectl delete" not in first
    assert "kubectl delete" not in text or CHANGES_MARK in text
