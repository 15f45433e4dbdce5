"""Label and field selectors, as list and watch requests carry them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sandbox.cluster.resources import Obj, Resource

Predicate = Callable[[Obj], bool]

_SET = re.compile(r"^\s*([\w./-]+)\s+(in|notin)\s+\(([^)]*)\)\s*$")
_PAIR = re.compile(r"^\s*([\w./-]+)\s*(==|!=|=)\s*([\w./-]*)\s*$")
_KEY = re.compile(r"^\s*(!?)\s*([\w./-]+)\s*$")
_FIELD = re.compile(r"^([\w.]+)(==|!=|=)(.*)$")
_COMMA_OUTSIDE_PARENS = re.compile(r",(?![^(]*\))")

_REFERENCE_FIELDS = (
    "kind",
    "namespace",
    "name",
    "uid",
    "apiVersion",
    "resourceVersion",
    "fieldPath",
)
_FIELDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "pods"): (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    ("", "nodes"): ("spec.unschedulable",),
    ("", "namespaces"): ("status.phase",),
    ("", "events"): (
        *(f"involvedObject.{name}" for name in _REFERENCE_FIELDS),
        "reason",
        "type",
        "source",
        "reportingComponent",
    ),
    ("events.k8s.io", "events"): (
        *(f"regarding.{name}" for name in _REFERENCE_FIELDS),
        "reason",
        "type",
        "reportingController",
    ),
    ("batch", "jobs"): ("status.successful",),
    ("apps", "replicasets"): ("status.replicas",),
}


class BadSelectorError(ValueError):
    """A selector that the API server would refuse; the text is its message."""


def label_selector(text: str) -> Predicate:
    """A predicate over an object's labels.

    Raises:
        BadSelectorError: `text` is not a label selector.
    """
    tests = [_requirement(part) for part in _COMMA_OUTSIDE_PARENS.split(text) if part.strip()]

    def matches(obj: Obj) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(test(labels) for test in tests)

    return matches


def _requirement(part: str) -> Callable[[Mapping[str, str]], bool]:
    if found := _SET.match(part):
        key, operator, listed = found.groups()
        values = {value.strip() for value in listed.split(",")}
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _PAIR.match(part):
        key, operator, value = found.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _KEY.match(part):
        negated, key = found.groups()
        return lambda labels: (key in labels) != bool(negated)
    raise BadSelectorError(f"unable to parse requirement: {part.strip()!r}")


def field_selector(text: str, resource: Resource) -> Predicate:
    """A predicate over the fields that the API can select by.

    Raises:
        BadSelectorError: Not a field selector, or a field that this resource cannot select by.
    """
    supported = (
        "metadata.name",
        "metadata.namespace",
        *_FIELDS.get((resource.group, resource.plural), ()),
    )
    tests: list[tuple[str, bool, str]] = []
    for part in text.split(","):
        if not part.strip():
            continue
        found = _FIELD.match(part.strip())
        if not found:
            raise BadSelectorError(f"invalid selector: {text!r}; can't understand {part!r}")
        field, operator, value = found.groups()
        if field not in supported:
            raise BadSelectorError(f"field label not supported: {field}")
        tests.append((field, operator != "!=", value))

    def matches(obj: Obj) -> bool:
        return all((_value(obj, field) == value) is wanted for field, wanted, value in tests)

    return matches


def _value(obj: Obj, field: str) -> str:
    """The field's text. Two names of the selector do not say where the field lives."""
    if field == "source":
        field = "source.component"
    elif field == "status.successful":
        field = "status.succeeded"
    found: object = obj
    for key in field.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return str(found).lower()
    if found is None:
        return "false" if field == "spec.unschedulable" else ""
    return str(found)
