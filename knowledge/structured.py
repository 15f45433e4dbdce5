"""Structured replies: a model is asked for one JSON object of a type, and once more if it errs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import msgspec

from core.answers import GenerationOptions
from knowledge.ports import Model, Prompt
from knowledge.prompting import OVERHEAD_TOKENS, count_tokens, template

T = TypeVar("T")

_SHOWN_CHARS = 400  # of a reply that is sent back; its beginning shows what went wrong


class BadReplyError(Exception):
    """The model's reply is not of the type that was asked for, also when asked again."""


async def complete_json(
    model: Model,
    prompt: Prompt,
    schema: type[T],
    options: GenerationOptions = GenerationOptions(stream=False),  # noqa: B008  (frozen)
) -> T:
    """Ask a model for an object of a dataclass; what it gets wrong is sent back to it once.

    Args:
        model: Is told the JSON schema where its provider can be; any may answer with something
            else all the same.
        prompt: Says what each field is for. The second prompt is this one with the reply and
            the error under it; it is not sent where it would not fit into the model's context.
        schema: A dataclass, not recursive. Its `__post_init__` may refuse by a ValueError, whose
            words the model gets to read.
        options: `max_tokens` is the room kept for the reply.

    Raises:
        BadReplyError: No reply was of the type; the text says what was wrong with the last one.
        ModelUnavailableError: The model failed.
    """
    wanted = json_schema(schema)
    options = replace(options, stream=False)
    reply = await model.complete(prompt, options, wanted)
    try:
        return parse(reply, schema)
    except BadReplyError as error:
        again = _repair(prompt, reply, error, wanted)
        room = model.context_tokens - (options.max_tokens or 0)
        if count_tokens(again.system + again.user) + OVERHEAD_TOKENS > room:
            raise
    return parse(await model.complete(again, options, wanted), schema)


def parse(reply: str, schema: type[T]) -> T:
    """The JSON object in a reply, whatever stands around it.

    Raises:
        BadReplyError: There is none, or it is not of the type.
    """
    start, end = reply.find("{"), reply.rfind("}")
    if start < 0 or end <= start:
        raise BadReplyError("it holds no JSON object")
    try:
        return msgspec.json.decode(reply[start : end + 1], type=schema)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadReplyError(str(error)) from error


def json_schema(schema: type) -> Mapping[str, object]:
    """The JSON schema of a dataclass as strict providers want it.

    In one piece, without references; every field required, no other field allowed.
    """
    (root,), parts = msgspec.json.schema_components([schema])
    whole = _inlined(root, parts)
    assert isinstance(whole, dict)
    return whole


def _inlined(node: object, parts: Mapping[str, object]) -> object:
    if isinstance(node, list | tuple):
        return [_inlined(item, parts) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(reference := node.get("$ref"), str):
        return _inlined(parts[reference.rpartition("/")[2]], parts)
    # "default" would be read as leave to leave a field out.
    found = {key: _inlined(value, parts) for key, value in node.items() if key != "default"}
    if "enum" in found:  # names; without their type some providers refuse the schema
        found.setdefault("type", "string")
    if isinstance(properties := found.get("properties"), dict):
        found |= {"required": list(properties), "additionalProperties": False}
    return found


def _repair(
    prompt: Prompt, reply: str, error: BadReplyError, wanted: Mapping[str, object]
) -> Prompt:
    properties = wanted["properties"]
    assert isinstance(properties, dict)
    fields = ", ".join(f'"{name}"' for name in properties)
    asked = template("repair").format(problem=error, reply=reply[:_SHOWN_CHARS], fields=fields)
    return Prompt(prompt.system, f"{prompt.user}\n\n{asked}")
