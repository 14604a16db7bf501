"""The policy language as JSON Schema, for editors and other programs.

Made from the pydantic model, with descriptions from its docstrings, so that it cannot drift. It
says what a document may contain; what must agree between its parts needs ``prunegate policy
validate``.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from prunegate.metrics.catalogue import METRICS
from prunegate.policy.model import Policy

SCHEMA_ID = "urn:prunegate:policy:v1"


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a policy file, version 1."""
    schema = Policy.model_json_schema(schema_generator=_Generator)
    metric = schema["$defs"]["Rule"]["properties"]["metric"]
    metric["enum"] = list(METRICS)
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": SCHEMA_ID, **schema}


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
