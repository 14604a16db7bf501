from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from prunegate.errors import PolicyError
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS
from prunegate.policy.json_schema import json_schema
from prunegate.policy.load import parse_policy

POLICIES = Path(__file__).parents[3] / "policies"
EXAMPLES = sorted(set(POLICIES.glob("*.yaml")) - set(POLICIES.glob("*.claims.yaml")))


def _load(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.slow
def test_the_schema_says_who_it_is() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "urn:prunegate:policy:v1"
    assert schema["$defs"]["Rule"]["properties"]["metric"]["enum"] == list(METRICS)
    assert schema["$defs"]["EvidenceSection"]["properties"]["confidence"]["description"] == (
        "One-sided, for every test."
    )


@pytest.mark.slow
def test_every_key_of_a_rule_is_described_the_limits_by_their_checks() -> None:
    found = json_schema()["$defs"]["Rule"]["properties"]
    assert all(schema.get("description") for schema in found.values())
    for name, check in CHECKS.items():
        assert found[name]["description"] == check.meaning


@pytest.mark.slow
def test_the_example_of_the_design_is_valid(
    validator: jsonschema.Draft202012Validator, example: str
) -> None:
    validator.validate(_load(example))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_every_reviewed_policy_is_valid(
    path: Path, validator: jsonschema.Draft202012Validator
) -> None:
    text = path.read_text(encoding="utf-8")
    parse_policy(text, source=str(path))
    validator.validate(_load(text))


MUTATIONS: list[tuple[tuple[Any, ...], Any]] = [
    (("prunegate",), 2),
    (("name",), "two words"),
    (("task", "kind"), "binry"),
    (("task", "threshold"), 1.5),
    (("task", "positive"), ["unsafe"]),
    (("rules",), []),
    (("rules", 0, "metric"), "recal"),
    (("rules", 0, "max_dorp"), 0.1),
    (("rules", 0, "max_drop"), "2%"),
    (("rules", 0, "max_drop"), {"relative": 0.1, "error_ratio": 0.1}),
    (("rules", 0, "at_least"), None),
    (("rules", 0, "slices"), []),
    (("rules", 0, "severity"), "blok"),
    (("slices", 0, "by"), 3),
    (("evidence", "confidence"), 0.9999999991),
    (("evidence", "confidence"), 0.5),
    (("evidence", "minimum", "rows"), 0),
    (("cost", "currency"), "dollars"),
    (("cost", "currency"), "EUX"),
    (("cost", "one_off"), -1),
    (("cost", "volumes"), {"by_month": []}),
    (("cost", "volumes"), {"now": 1, "months": 3, "growth": "linear"}),
    (("group",), None),
    (("purpose",), ""),
]


@pytest.mark.slow
@pytest.mark.parametrize(("path", "value"), MUTATIONS)
def test_schema_and_loader_refuse_alike(
    path: tuple[Any, ...],
    value: object,
    validator: jsonschema.Draft202012Validator,
    example: str,
) -> None:
    document = copy.deepcopy(_load(example))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not validator.is_valid(document)
    with pytest.raises(PolicyError):
        parse_policy(json.dumps(document))  # JSON is YAML
