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
payments-7d9f8c6b5-x2x4q: CrashLoopBackOff, 14 restarts [1]

**What I see**
- container payments: last state terminated, reason OOMKilled, exit code 137 [1]
- container payments: limits memory 256Mi, requests memory 128Mi [1]
- image registry.example.com/shop/payments:3.9.0 [1]

**They differ:** the cluster has a memory limit of 256Mi [1], written down is 512Mi [3].

**What the runbook says** (payments restarts › Look first)
- `Reason: OOMKilled` with exit code 137 means that the container of payments reached its memory \
limit, because the settlement batch is too large [2].

**Next, only reads** [2]
```
kubectl -n shop logs payments-7d9f8c6b5-x2x4q -c payments --previous --tail=40
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
    assert text == "- matching-engine — CPU: 8; memory limit: limit 16Gi [2]"
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


LOG = Passage(
    "l", "csv-logs", "Log lines", "logs/*.csv",
    "12 lines with code 503; first 10:01, last 10:02.\nBy service: a 7, b 5.\n"
    "Kind: 7 × `refused <NUM>`.\nKind: 5 × `cut ```.\nThe last 2:\n"
    "- 10:02 ERROR b 503 cut ```\n- 10:01 ERROR a 503 refused 1\n",
    is_fact=True,
)  # fmt: skip


def test_lines_are_counted_shown_newest_first_and_told_by_kind() -> None:
    asked = reading("lines with code 503", codes=["503"], intents=[Intent.LOGS])
    text = extract(asked, (LOG, RUNBOOK))
    assert text.startswith("12 lines with code 503; first 10:01, last 10:02 [1].\n\n- By service")
    assert "The newest 2 [1]:\n```\n10:02 ERROR b 503 cut '''\n10:01 ERROR a" in text
    assert text.endswith("By kind: 7 × `refused <NUM>`; 5 × `cut ``` [1].")
    assert "[2]" not in text
    count = extract(replace(asked, question="how many lines with code 503?"), (LOG,))
    assert "```\n10" not in count


def test_what_a_code_means_is_told_by_the_pages_and_not_by_lines() -> None:
    page = replace(RUNBOOK, text="Code 503 means that no endpoint is ready.")
    asked = reading("what does 503 mean in our logs?", codes=["503"], intents=[Intent.LOGS])
    assert extract(asked, (LOG, page)).startswith("Code 503 means that no endpoint is ready [2].")


def test_lines_of_the_live_log_are_told_where_no_file_has_any() -> None:
    live = replace(POD, text="payments runs: 1 of 2 replicas ready.\nLog line: ERROR ```x\n")
    asked = reading("log lines of payments", names=["payments"], intents=[Intent.LOGS])
    text = extract(asked, (live,))
    assert text.startswith("payments runs: 1 of 2 replicas ready [1].")
    assert "```\nERROR '''x\n```" in text


def test_a_series_is_told_by_its_last_value_and_picture() -> None:
    series = Passage(
        "m", "csv-metrics", "Metric worker-2/disk", "m.csv",
        "worker-2/disk is at 92 %; its highest was 95 % at 10:00.\n`▁▂▃`",
        kind="metrics", is_fact=True,
    )  # fmt: skip
    node = replace(POD, title="Node worker-2", text="Node worker-2 is Ready, but reports X.")
    asked = reading("how full is the disk?", names=["worker-2"], intents=[Intent.METRICS])
    text = extract(asked, (series, node, RUNBOOK))
    assert text == (
        "worker-2/disk is at 92 %; its highest was 95 % at 10:00 [1].\n\n- `▁▂▃` [1]\n\n"
        "**Now:** Node worker-2 is Ready, but reports X [2]."
    )


def test_who_is_hit_is_told_with_the_teams_in_a_table_and_what_is_written() -> None:
    hit = replace(
        OWNER,
        text="If payments fails, it hits checkout directly.\n| team | services hit |\n|---|---|\n"
        "| orders | checkout |\nThe ways: checkout → payments.\nIts runbook: x.md.",
    )
    page = replace(RUNBOOK, text="## Impact\n\nWhen payments fails, nobody can buy.")
    asked = reading("what breaks if payments fails?", names=["payments"], intents=[Intent.IMPACT])
    text = extract(asked, (hit, page))
    assert text.startswith("If payments fails, it hits checkout directly [1].\n\nBy team [1]:\n\n|")
    assert "| orders | checkout |" in text
    assert "- When payments fails, nobody can buy [2]." in text
    assert "x.md" not in text


def test_the_same_line_at_another_time_is_told_once_unless_lines_were_asked_for() -> None:
    log = Passage(
        "l", "csv-logs", "Lines", "app.csv",
        "10:01 payments OutOfMemoryError\n10:02 payments OutOfMemoryError\nThe last 2:\n",
        is_fact=True,
    )  # fmt: skip
    assert extract(WHY, (log,)).count("OutOfMemoryError") == 1
    asked = reading("log lines of payments", names=["payments"], intents=[Intent.LOGS])
    assert "The last 2" not in extract(asked, (log,))


def test_similar_troubles_are_told_by_their_reports() -> None:
    one = Passage(
        "1", "markdown", "INC-2031: payments OOM", "incidents/inc-2031.md",
        "Payments was OOMKilled in the settlement run. It rained.",
    )  # fmt: skip
    two = replace(one, id="2", text="Payments got more memory.")
    asked = reading("similar to payments OOM?", names=["payments"], intents=[Intent.SIMILAR])
    fix = replace(
        one, id="3", heading="INC-2031: payments OOM › Fix",
        text="1. Limit to 768Mi (2026-07-31).\n2. Page the batch.",
    )  # fmt: skip
    cause = replace(
        one, id="4", heading="INC-2031: payments OOM › Root cause", text="One batch read all rows."
    )
    other = replace(one, id="5", title="INC-7: cart", location="incidents/inc-7.md", text="Cart.")
    text = extract(asked, (POD, RUNBOOK, one, two, cause, fix, other))
    assert text.startswith("Yes: **INC-2031: payments OOM** (2026-07-31) [3].")
    assert "- **Then:** Payments was OOMKilled in the settlement run [3]." in text
    assert "- **Cause then:** One batch read all rows [5]." in text
    assert "**Fix then**\n1. Limit to 768Mi (2026-07-31) [6].\n2. Page the batch [6]." in text
    assert "**Now:** payments-7d9f8c6b5-x2x4q: CrashLoopBackOff, 14 restarts [1]" in text
    assert text.endswith("Also looked alike: INC-7: cart [7].")
    assert "[2]" not in text
    said = replace(one, text="Payments was down. It was fixed by more memory.")
    assert "**Fix then:** It was fixed by more memory [1]." in extract(asked, (said,))
    elsewhere = replace(asked, names=("kafka",))
    assert extract(elsewhere, (other,)).startswith("The nearest report is about something else")
    assert "Yes" not in extract(asked, (RUNBOOK,))


def test_who_calls_is_told_first_when_asked_what_depends_on_it() -> None:
    asked = reading("what depends on payments?", names=["payments"], intents=[Intent.DEPENDENCIES])
    assert extract(asked, (OWNER,)).startswith("Called by: checkout [1].")


def test_the_owner_is_not_the_answer_to_a_how_to() -> None:
    asked = reading("how do I fix payments?", names=["payments"], intents=[Intent.HOW])
    assert "owned by" not in extract(asked, (OWNER, RUNBOOK))
    assert "owned by" in extract(asked, (OWNER,))


def test_a_long_fact_is_cut() -> None:
    fact = replace(OWNER, text="payments is blue. " + "Payments has many words here. " * 40)
    asked = reading("what colour is payments, blue?", names=["payments"], intents=[Intent.OWNER])
    first = extract(asked, (fact,)).splitlines()[0]
    assert first.startswith("payments is blue. ")
    assert first.endswith("… [1]")
    assert len(first.split()) < 90


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
        RUNBOOK, text="Payments restarts because " + "`of heap` and **buffers** " * 60 + "."
    )
    many = [replace(page, id=str(n), title=f"page {n}") for n in range(8)]
    text = extract(WHY, [POD, *many])
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


def test_how_to_do_a_thing_begins_with_the_steps_and_tells_how_it_stands() -> None:
    page = replace(
        RUNBOOK, title="redis failover", service="redis",
        heading="redis failover › Force a failover",
        text="Only when the primary is sick:\n\n```bash\n"
        "kubectl exec redis-1 -- redis-cli failover\n```",
    )  # fmt: skip
    other = replace(page, heading="", text="redis has a primary. When redis fails over, wait.")
    live = replace(POD, text="redis runs well: 2 of 2 replicas ready.", service="redis")
    asked = reading("how do I fail over redis?", names=["redis"], intents=[Intent.HOW])
    assert extract(asked, (live, other, page)) == (
        "**What to do** (redis failover › Force a failover)\n"
        "- Only when the primary is sick: [3]\n"
        f"{CHANGES_MARK}:\n```bash\nkubectl exec redis-1 -- redis-cli failover\n```\n\n"
        "**Now:** redis runs well: 2 of 2 replicas ready [1]."
    )


def test_steps_point_to_nothing_that_is_not_quoted() -> None:
    page = replace(
        RUNBOOK,
        text=(
            "## Fix\n\n"
            "Raise the limit of payments. See the table below for its sizes.\n\n"
            "<table><tr><td>payments</td></tr></table>\n\n"
            "Watch the memory of payments for an hour.\n\n"
            "The memory of payments should look like this:\n"
        ),
        heading="Fix",
    )
    asked = reading("how do I fix the memory of payments?", intents=[Intent.HOW])
    told = extract(asked, (page,))
    assert "Raise the limit of payments [1]." in told
    assert "Watch the memory" in told
    assert "below" not in told
    assert "<td>" not in told
    assert not told.endswith(":")
    assert "should look like" not in told


def test_a_lead_in_stays_with_its_command() -> None:
    page = replace(RUNBOOK, text="Restart payments by:\n\n```bash\nkubectl get pods\n```\n")
    asked = reading("how do I restart payments?", intents=[Intent.HOW])
    told = extract(asked, (page,))
    assert told.index("Restart payments by:") < told.index("kubectl get pods")
