"""Requests and limits that pages write down for one workload, read out of their tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.answers import Gap, Lookup, Passage, Scope
from core.errors import KnowledgeError
from core.quantities import parse_quantity
from knowledge.blocks import Block, BlockKind, blocks
from knowledge.ports import Filter, VectorStore
from knowledge.retrieve import Ranked, passage_of, scope_filter

_SOURCE = "markdown"
# Chunks that name the workload, best first; tables on resources stand far before these run out.
_MOST_CHUNKS = 60
_RESOURCES = {"memory": "memory", "mem": "memory", "ram": "memory", "cpu": "cpu"}
_RESOURCE = re.compile(r"\b(memory|mem|ram|cpu)\b", re.IGNORECASE)
_SETTING = re.compile(r"\b(request|limit)s?\b", re.IGNORECASE)
_VALUE = r"\d+(?:\.\d+)?\s?(?:[KMGT]i?B?|m|cores?|cpus?)?(?![\w.])"
_SETTING_VALUE = re.compile(rf"\b(request|limit)s?\b\W{{1,4}}({_VALUE})", re.IGNORECASE)
_NAME_ENDS = re.compile(r"[\s`*,/|()]+")


@dataclass(frozen=True, slots=True)
class DocumentedValue:
    """A value that a page gives.

    Attributes:
        setting: "request" or "limit".
        resource: "memory" or "cpu".
        value: As it is written: "512Mi".
        passage: Where.
    """

    setting: str
    resource: str
    value: str
    passage: Passage


class DocumentedPages:
    """Finds what speaks of a workload: by its name as a whole word, for a name may be a plain word.

    Args:
        store: The chunks.
    """

    def __init__(self, store: VectorStore) -> None:
        self._store = store

    async def find(self, name: str, scope: Scope) -> Lookup:
        """Chunks of documents that name it; a store that fails is a gap."""
        if not scope.allows_source(_SOURCE):
            return Lookup()
        allowed = scope_filter(scope)
        limits = {**(allowed.any_of if allowed else {}), "source": (_SOURCE,)}
        words = f"{name} resources memory cpu request limit"
        try:
            hits = await self._store.search_sparse(
                words, _MOST_CHUNKS, Filter(limits, phrases=(name,))
            )
            has_pages = bool(hits) or bool(await self._store.count())
        except KnowledgeError as error:
            return Lookup(gaps=(Gap("documentation search", error.wrong, error.remedy),))
        return Lookup(
            tuple(passage_of(Ranked(hit, hit.score), 1.0) for hit in hits),
            looked_in=("runbooks and documents",) if has_pages else (),
        )


def documented_values(name: str, passages: Sequence[Passage]) -> tuple[DocumentedValue, ...]:
    """What tables say on a workload: rows that it begins, and rows on a resource in its own page.

    Incident reports are left out: they tell what was once.
    """
    found: dict[tuple[str, str, str, str], DocumentedValue] = {}
    for passage in passages:
        if passage.is_fact or passage.source != _SOURCE or "incident" in passage.location:
            continue
        for block in blocks(passage.text):
            if block.kind is not BlockKind.ROW:
                continue
            for setting, resource, value in _row(block, name.lower(), passage):
                key = (setting, resource, value, passage.location)
                found.setdefault(key, DocumentedValue(setting, resource, value, passage))
    return tuple(found.values())


def _row(block: Block, name: str, passage: Passage) -> Iterator[tuple[str, str, str]]:
    head, _, rest = block.text.partition(" — ")
    is_named = name in _NAME_ENDS.split(head.lower())
    if not is_named and not (_is_on(passage, name) and _RESOURCE.search(head)):
        return
    for pair in rest.split("; "):
        label, colon, text = pair.partition(": ")
        label, text = (label, text) if colon else ("", pair)
        resource = _RESOURCE.search(label) or (None if is_named else _RESOURCE.search(head))
        if resource is None:
            continue
        kind = _RESOURCES[resource[1].lower()]
        if setting := _SETTING.search(label):
            if value := _value(text):
                yield setting[1].lower(), kind, value
            continue
        for setting_value in _SETTING_VALUE.finditer(text.replace("*", "")):
            yield setting_value[1].lower(), kind, setting_value[2].strip()


def _is_on(passage: Passage, name: str) -> bool:
    """Whether the page is about this workload, and not one that only names it."""
    return name in {passage.service.lower(), *_NAME_ENDS.split(passage.title.lower())}


def _value(text: str) -> str:
    found = re.match(rf"[\s*`~]*({_VALUE})", text)
    return found[1].strip() if found and parse_quantity(found[1]) is not None else ""
