"""A JSON Schema as a page: a section per object, a row per key with type, default and meaning."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markdown_text import cell, table

from prunegate.audit.record_schema import record_schema
from prunegate.policy.json_schema import json_schema

_POLICY = """\
# The policy file

<!-- Written by tools/reference from the JSON Schema; change the model, then: make reference -->

Every key of a policy file, version 1: its type, its default, its meaning. The file is YAML 1.2.
The schema is closed: an unknown key is a mistake, and so are a key that stands twice and a number
that is NaN. `prunegate policy schema` prints it for editors, `prunegate policy validate` also
checks what must agree between parts, and `prunegate policy explain` says in sentences what a
policy demands.
"""
_RECORD = """\
# The record

<!-- Written by tools/reference from the record's JSON Schema; change it, then: make reference -->

Every key of `record.json`, the authority of every verdict: canonical JSON (RFC 8785), named by
its sha256. The schema itself is [record.schema.json](../record.schema.json), printed by
`prunegate audit schema`. Objects are closed. Whether a record's verdict follows from it is for
`prunegate verify` to say: [the audit trail](../audit.md#the-record-and-the-page).
"""
_MOST = 30
"""Values that are listed; of more, only how many there are."""
_SCALAR = {"boolean", "integer", "number", "string"}
_WORDS = {
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "object": "mapping",
    "null": "null",
}

Schema = Mapping[str, Any]


def policy_page() -> str:
    """The policy, from its model."""
    return _page(_POLICY, json_schema(), "the file")


def record_page() -> str:
    """The record, from its dataclasses."""
    return _page(_RECORD, record_schema(), "record.json")


def _page(head: str, schema: Schema, root: str) -> str:
    parts = [head, _section(root, {**schema, "description": ""}, schema, ())]
    for name, places in _places(schema).items():
        parts.append(_section(name, schema["$defs"][name], schema, places))
    return "\n".join(parts)


def _places(schema: Schema) -> dict[str, list[str]]:
    """Each object with where it stands, in the order in which a reader meets them."""
    found: dict[str, list[str]] = {}

    def visit(part: Schema, path: str) -> None:
        for key, value in part["properties"].items():
            for name, several in _references(value, several=False):
                place = f"{path}{key}{'[]' if several else ''}"
                known = name in found
                found.setdefault(name, []).append(place)
                if not known:
                    visit(schema["$defs"][name], f"{place}.")

    visit(schema, "")
    return found


def _references(part: Any, *, several: bool) -> Iterator[tuple[str, bool]]:
    """Objects that a key holds, and whether as a list of them."""
    if isinstance(part, Mapping):
        if "$ref" in part:
            yield part["$ref"].rpartition("/")[2], several
        for key, value in part.items():
            yield from _references(value, several=several or key == "items")
    elif isinstance(part, list):
        for value in part:
            yield from _references(value, several=several)


def _section(name: str, part: Schema, schema: Schema, places: Sequence[str]) -> str:
    rows = [
        (
            f"`{key}`",
            _type(value),
            "**required**" if key in part.get("required", ()) else _default(value),
            cell(_meaning(value, schema)),
        )
        for key, value in part["properties"].items()
    ]
    about = cell(part.get("description", ""))
    lead = [f"{about}\n"] if about else []
    if places:
        lead.append(f"Stands at {', '.join(f'`{place}`' for place in dict.fromkeys(places))}.\n")
    return "\n".join([f"## {name}\n", *lead, table(("key", "type", "default", "meaning"), rows)])


def _meaning(value: Schema, schema: Schema) -> str:
    """What stands under the key; else what the one object that it holds is."""
    if "description" in value:
        return str(value["description"])
    held = {name for name, _ in _references(value, several=False)}
    named = [str(schema["$defs"][name].get("description", "")) for name in sorted(held)]
    return " Or: ".join(named)


def _type(value: Schema) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in value:
        return f"`{json.dumps(value['const']).strip(chr(34))}`"
    if "enum" in value:
        several = [f"`{one}`" for one in value["enum"]]
        return " or ".join(several) if len(several) <= _MOST else f"one of {len(several)} names"
    for key in ("anyOf", "oneOf"):
        if key in value:
            return _either(value[key])
    return _plain(value)


def _either(choices: list[Schema]) -> str:
    kinds = [str(one.get("type")) for one in choices if set(one) == {"type"}]
    rest = [one for one in choices if set(one) != {"type"}]
    words = ["value"] if set(kinds) >= _SCALAR else [_WORDS[kind] for kind in kinds]
    if "null" in kinds and "null" not in words:
        words.append("null")
    return " or ".join(dict.fromkeys([*words, *map(_type, rest)]))


def _plain(value: Schema) -> str:
    kind = str(value.get("type", ""))
    if kind == "array":
        if "prefixItems" in value:
            return f"[{', '.join(map(_type, value['prefixItems']))}]"
        return f"list of: {_type(value['items'])}" if value.get("items") else "list"
    if kind == "object" and isinstance(value.get("additionalProperties"), Mapping):
        return f"mapping of: {_type(value['additionalProperties'])}"
    return f"{_WORDS.get(kind, 'any')}{_bounds(value)}"


def _bounds(value: Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    found = [f"{sign} {value[key]:,}" for key, sign in signs.items() if key in value]
    return f", {' and '.join(found)}" if found else ""


def _default(value: Schema) -> str:
    if "default" not in value:
        return ""
    default = value["default"]
    if isinstance(default, Mapping):
        return "as below"
    return f"`{json.dumps(default).strip(chr(34))}`"
