"""The policy language as JSON Schema, for editors and other programs.

Made from the pydantic model, with descriptions from its docstrings, so that it cannot drift. It
says what a document may contain; what must agree between its parts needs ``prunegate policy
validate``.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from prunegate.criteria import ranked_by_rows
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS
from prunegate.policy.schema import Policy, Rule
from prunegate.policy.section import Section

_LIMITED = Rule.__base__
"""Has a field for every check, and no class statement that could be read."""
SCHEMA_ID = "urn:prunegate:policy:v1"


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a policy file, version 1."""
    schema = Policy.model_json_schema(schema_generator=_Generator)
    found = schema["$defs"] | {Policy.__name__: schema}
    for section in _sections(Section):
        if section.__name__ in found:  # else it belongs to another file, of stated figures
            _describe(found[section.__name__]["properties"], section)
    metric = schema["$defs"]["Rule"]["properties"]["metric"]
    metric["enum"] = list(METRICS)
    data = schema["$defs"]["Prune"]["properties"]["data"]
    data["description"] = (
        f"Rows that rank the units ({' and '.join(ranked_by_rows())} only) and that 'compensate' "
        "and 'scope: budget' try things on."
    )
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": SCHEMA_ID, **schema}


def _sections(base: type[Section]) -> Iterator[type[Section]]:
    for section in base.__subclasses__():
        yield section
        yield from _sections(section)


def _describe(properties: dict[str, Any], section: type[Section]) -> None:
    """Put a section's docstrings to its keys."""
    for name, text in _docstrings(section).items():
        if name in section.model_fields:
            properties[name] = dict(sorted((properties[name] | {"description": text}).items()))


def _docstrings(section: type[Section]) -> dict[str, str]:
    """The texts under a section's fields, its bases' too.

    Read here, because no other command needs them: pydantic would read them on every start.
    """
    if section is Section:
        return {}
    bases = [_docstrings(base) for base in section.__bases__ if issubclass(base, Section)]
    found = {name: text for base in bases for name, text in base.items()}
    if section is _LIMITED:
        return found | {name: check.meaning for name, check in CHECKS.items()}
    (body,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(body, ast.ClassDef)  # noqa: S101  # a class was asked for
    for line, after in pairwise(body.body):
        text = after.value if isinstance(after, ast.Expr) else None
        if isinstance(line, ast.AnnAssign) and isinstance(text, ast.Constant):
            found[ast.unparse(line.target)] = inspect.cleandoc(str(text.value))
    return found


class _Generator(GenerateJsonSchema):
    """The loader's reading of the model: a key that is given has a value; null is not valid."""

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        """An optional field may be left out; it may not be null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        """Leave out defaults that only stand for "not given"."""
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def encode_default(self, dft: Any) -> Any:
        """A section's defaults without the keys that are not given."""
        encoded = super().encode_default(dft)
        if isinstance(encoded, dict):
            return {key: value for key, value in encoded.items() if value is not None}
        return encoded

    def field_title_should_be_set(self, schema: Any) -> bool:
        """No titles: they would repeat the keys."""
        del schema
        return False
