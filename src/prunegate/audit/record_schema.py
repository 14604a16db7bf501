"""The record as JSON Schema, for auditors and other programs.

Made from the dataclasses, with descriptions from the words under their fields, so that it cannot
drift. Objects are closed. It says what a record may contain; whether its verdict follows from it
needs ``prunegate verify``.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import typing
from collections.abc import Iterator
from typing import Any

from prunegate.audit.record import FORMAT, DecisionRecord


def record_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a decision record."""
    from pydantic import TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema

    schema: dict[str, Any] = TypeAdapter(DecisionRecord).json_schema()
    nouns = {noun.__name__: noun for noun in _nouns(DecisionRecord, set())}
    for name, part in schema.get("$defs", {}).items():
        _close(part, nouns[name])
    _close(schema, DecisionRecord)
    schema["properties"]["format"] = {
        "const": FORMAT,
        "description": "Name and version of this format.",
    }
    schema["required"] = ["format", *schema["required"]]
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": FORMAT, **_untitled(schema)}


def _close(part: dict[str, Any], noun: type) -> None:
    """Nothing else in this object, and a description of everything in it."""
    part["additionalProperties"] = False
    part["description"] = inspect.cleandoc(noun.__doc__ or "")
    told: dict[str, str] = {}
    for part_of in reversed(noun.__mro__[:-1]):  # fields of a base are told there
        told |= descriptions(part_of)
    for name, value in part["properties"].items():
        if name in told:
            value["description"] = told[name]


def descriptions(noun: type) -> dict[str, str]:
    """The words under each field of a dataclass; a field without any shares the next one's."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(noun))).body
    assert isinstance(tree, ast.ClassDef)  # noqa: S101  # the source of a class
    found: dict[str, str] = {}
    waiting: list[str] = []
    for statement in tree.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            waiting.append(statement.target.id)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            words = inspect.cleandoc(str(statement.value.value)).replace("\n", " ")
            found |= dict.fromkeys(waiting[-1:], words)
            waiting = []
    return found


def _nouns(noun: type, seen: set[type]) -> Iterator[type]:
    """A dataclass and all that its fields are made of."""
    if noun in seen:
        return
    seen.add(noun)
    yield noun
    for annotation in typing.get_type_hints(noun).values():
        for part in _parts(annotation):
            if dataclasses.is_dataclass(part) and isinstance(part, type):
                yield from _nouns(part, seen)


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in typing.get_args(annotation):
        yield from _parts(part)


def _untitled(value: Any) -> Any:
    """The schema without titles, which would repeat the keys; a field may be called title."""
    if isinstance(value, dict):
        return {
            key: _untitled(item)
            for key, item in value.items()
            if key != "title" or not isinstance(item, str)
        }
    return [_untitled(item) for item in value] if isinstance(value, list) else value
