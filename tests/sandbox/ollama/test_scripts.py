"""What the shipped scripts say."""

from __future__ import annotations

import json
import re

import pytest

from sandbox.ollama import quoting, scripts
from sandbox.ollama.pieces import Drop, Pause, Refuse

PASSAGES = """[1] payments restarts
Pods are killed because the container reached its memory limit. Look at the previous log.

```bash
kubectl -n shop delete pod payments-0
```

| code | meaning |
|---|---|
| 137 | killed by the kernel, out of memory |

[2] redis failover
- The Service points at the primary.
- A failover takes 8 to 15 s.

Question: """


def _ask(question: str) -> list[dict[str, str]]:
    return [
        {"role": "system", "content": "You quote."},
        {"role": "user", "content": PASSAGES + question},
    ]


def test_the_honest_script_quotes_what_answers_with_its_number() -> None:
    answer = scripts.answer_from_passages(_ask("How long does a failover take?"), {})
    assert answer.endswith("A failover takes 8 to 15 s [2].")
    assert "[1]" not in answer


def test_the_honest_script_reads_rows_of_tables_and_no_code() -> None:
    answer = scripts.answer_from_passages(_ask("What does code 137 mean? delete pod"), {})
    assert "137: killed by the kernel, out of memory [1]" in answer
    assert "kubectl" not in answer


@pytest.mark.parametrize("question", ["Who won the cup?", "the of and"])
def test_the_honest_script_admits_what_it_does_not_know(question: str) -> None:
    assert scripts.answer_from_passages(_ask(question), {}) == scripts.NOTHING


def test_every_word_of_the_honest_script_stands_in_the_passages() -> None:
    answer = scripts.answer_from_passages(_ask("memory limit killed container previous log"), {})
    assert "Look at the previous log [1]." in answer
    assert set(re.findall(r"\w+", answer)) <= set(re.findall(r"\w+", PASSAGES))


def test_without_any_message_of_a_user_there_is_nothing_to_say() -> None:
    assert scripts.answer_from_passages([{"role": "system", "content": "x"}], {}) == scripts.NOTHING
    assert quoting.question("") == ""


def test_json_fills_the_text_fields_of_a_schema() -> None:
    schema = {"properties": {"cause": {"type": "string"}, "sure": {"type": "boolean"}, "fix": {}}}
    reply = json.loads(scripts.json_reply(_ask("failover primary"), {"format": schema}))
    assert list(reply) == ["cause", "fix"]
    assert reply["cause"] == "The Service points at the primary."


def test_json_has_empty_fields_where_nothing_answers() -> None:
    schema = {"properties": {"cause": {"type": "string"}}}
    assert scripts.json_reply(_ask("Who won the cup?"), {"format": schema}) == '{"cause": ""}'


def test_a_summary_quotes_a_fenced_passage() -> None:
    prompt = (
        "<passage-f00 number=3>\nCSV logs (logs, csv-logs: shop.csv)\n"
        "checkout wrote 12 lines with code 503 between 10:00 and 11:00\n</passage-f00>\n"
        "Question: lines with code 503"
    )
    answer = scripts.answer_from_passages([{"role": "user", "content": prompt}], {})
    assert answer == "checkout wrote 12 lines with code 503 between 10:00 and 11:00 [3]."


def test_asked_for_a_summary_it_tells_the_facts_whatever_their_words() -> None:
    prompt = (
        "<passage-f00 number=1>\nError codes (document, markdown: config/error-codes.md)\n"
        "A critical error means ERROR or FATAL.\n</passage-f00>\n"
        "<passage-f00 number=2>\nLog lines (observed fact, csv-logs: logs/*.csv)\n"
        "- 10:01 FATAL payments ran out of heap\n- 10:00 FATAL redis refused\n</passage-f00>\n"
        "Question: Summarize the last 10 critical errors"
    )
    answer = scripts.answer_from_passages([{"role": "user", "content": prompt}], {})
    assert "10:01 FATAL payments ran out of heap [2]. 10:00 FATAL redis refused [2]." in answer


def test_the_hostile_script_does_everything_wrong() -> None:
    answer = scripts.hostile([], {})
    for wrong in ("<!channel>", "kubectl delete", "[99]", "worker-99", "https://"):
        assert wrong in answer


def test_garbage_is_no_json() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(scripts.garbage([], {}))


def test_the_slow_script_pauses_before_each_piece() -> None:
    pieces = list(scripts.slow(0.5, lambda _, __: ["one two", Drop()])([], {}))
    assert pieces == [Pause(0.5), "one", Pause(0.5), " two", Pause(0.5), Drop()]


def test_replies_in_turn_repeat_the_last_one() -> None:
    script = scripts.repeating(["a", "b"])
    assert [script([], {}) for _ in range(3)] == ["a", "b", "b"]
    with pytest.raises(ValueError, match="at least one reply"):
        scripts.repeating([])


@pytest.mark.parametrize("name", sorted(scripts.SCRIPTS))
def test_every_named_script_has_something_to_say(name: str) -> None:
    reply = scripts.SCRIPTS[name]()(_ask("How long does a failover take?"), {})
    assert reply if isinstance(reply, str | Refuse) else next(iter(reply))
