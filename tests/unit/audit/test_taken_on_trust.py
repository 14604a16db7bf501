"""What a record takes on trust and says so, and the figures that statements are held against."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.audit.people.conftest import agrees

import prunegate
from prunegate.audit.assemble import known_limits, revalidate_on
from prunegate.audit.measured_values import measured_in, measured_of
from prunegate.audit.prediction_metadata import Notes, noted, read_notes, saturation_warnings
from prunegate.audit.provenance import made_elsewhere
from prunegate.audit.record import DecisionRecord, ModelRef, Saturating, Tool
from prunegate.claims.ranges import Range
from prunegate.cost.measurement import (
    Estimate95,
    GenerationTiming,
    Measurements,
    ModelFigures,
    is_evidence,
)
from prunegate.cost.operations import Operations
from prunegate.cost.projection import Projection
from prunegate.cost.tariff import RENTED, SCALED
from prunegate.errors import InputError
from prunegate.gate import gate
from prunegate.policy.load import parse_policy, read_policy
from prunegate.policy.schema import Policy

HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1, threshold: 0.5}\n"
RULES = "rules: [{metric: recall, at_least: 0.5}]\n"
COUNTS = pd.DataFrame(
    {"k": ["a", "b"] * 2, "label": [1, 0] * 2, "baseline": [1, 0] * 2, "candidate": [1, 0] * 2}
    | {"n": [40] * 4}
)
FIGURES = ModelFigures(latency_p50_ms=10.0, parameters=200, model_bytes=1000, active_heads=8)
STEADY = Estimate95(value=1.0, low=0.99, high=1.01)
MEASURED = Measurements(
    created="2026-01-01T00:00:00Z",
    engine="torch",
    batch=1,
    threads=1,
    rounds=9,
    baseline=FIGURES,
    candidate=replace(FIGURES, model_bytes=750, active_heads=None),
)
COST = Projection(
    currency="USD",
    price_baseline="0.004",
    price_candidate="0.003",
    basis="quoted",
    cost_per_1k_baseline="4",
    cost_per_1k_candidate="3",
)


def limits(more: str = "", **known: Any) -> str:
    policy = parse_policy(f"{HEAD}{more}{RULES}")
    verdict = prunegate.judge_counts(parse_policy(HEAD + RULES), COUNTS)
    production = cast("Any", known.pop("production", None))
    return " ".join(
        known_limits(policy, replace(verdict, production=production), Operations(**known))
    )


@pytest.mark.parametrize(
    ("more", "known", "told"),
    [
        ("weight: w\n", {}, "The weights in w are taken as given, without error."),
        ("", {"production": "a mix"}, "Production's mix is taken as declared, without error."),
        ("", {}, "Latency and size were not measured"),
        (
            "",
            {"measurements": MEASURED, "cost": replace(COST, basis=SCALED)},
            "price is scaled by CPU time measured here, not quoted.",
        ),
        (
            "",
            {"measurements": MEASURED, "cost": replace(COST, basis=RENTED)},
            "Instances are counted from throughput measured here, at the average load.",
        ),
        ("", {"measurements": MEASURED, "unpriced": "it is slow"}, "There is no cost: it is slow."),
    ],
)
def test_what_was_taken_as_given_is_told_and_nothing_else(
    more: str, known: dict[str, Any], told: str
) -> None:
    assert told in limits(more, **known)
    plain = limits(measurements=MEASURED, cost=COST)
    assert told not in plain
    assert "independent rows" in plain


def policy_for(days: int) -> Policy:
    return parse_policy(f"{HEAD}revalidate: {{after_days: {days}}}\n{RULES}")


def test_a_term_counts_from_a_date_that_there_is() -> None:
    assert revalidate_on(policy_for(30), "2026-12-15T23:59:59Z") == "2027-01-14"
    assert revalidate_on(parse_policy(HEAD + RULES), "never") is None
    for created in ("never", "2026-02-30T00:00:00Z", "9999-12-31T00:00:00Z", ""):
        with pytest.raises(InputError, match="is no date to count from"):
            revalidate_on(policy_for(30), created)


def timing(noise: Estimate95 = STEADY) -> GenerationTiming:
    return GenerationTiming(
        prompt_tokens=9,
        new_tokens=9,
        ttft_ratio=Estimate95(value=0.5, low=0.4, high=0.6),
        tpot_ratio=Estimate95(value=0.8, low=0.7, high=0.9),
        ttft_noise=noise,
        tpot_noise=STEADY,
    )


def test_times_of_generating_count_where_the_machine_was_quiet() -> None:
    quiet = measured_of((), replace(MEASURED, generation=timing()), None)
    assert quiet.generation_ratios == {
        "time_to_first_token": Range(Fraction("0.4"), Fraction("0.6")),
        "time_per_token": Range(Fraction("0.7"), Fraction("0.9")),
    }
    for noise in (
        Estimate95(value=1.3, low=1.2, high=1.4),
        Estimate95(value=0.7, low=0.6, high=0.8),
    ):
        loud = measured_of((), replace(MEASURED, generation=timing(noise)), None)
        assert loud.generation_ratios == {}
    assert measured_of((), MEASURED, None).generation_ratios == {}


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("loud", [True, False])
def test_what_a_file_says_of_its_own_quiet_is_not_enough(said: bool, loud: bool) -> None:
    noise = Estimate95(value=1.3, low=1.2, high=1.4) if loud else STEADY
    taken = replace(MEASURED, quiet=said, noise=noise)
    assert measured_of((), taken, None).quiet == is_evidence(taken) == (said and not loud)


def test_sizes_and_prices_are_exact_and_what_was_not_counted_is_left_out() -> None:
    found = measured_of((), MEASURED, COST).pairs
    assert set(found) == {"parameters", "size", "price"}
    assert found["size"] == (Range.exactly(Fraction(1000)), Range.exactly(Fraction(750)))
    assert found["price"] == (Range.exactly(Fraction("0.004")), Range.exactly(Fraction("0.003")))
    scaled = replace(COST, price_candidate_low="0.0025", price_candidate_high="0.0035")
    (_, after) = measured_of((), MEASURED, scaled).pairs["price"]
    assert after == Range(Fraction("0.0025"), Fraction("0.0035"))
    assert "price" not in measured_of((), None, replace(COST, price_candidate=None)).pairs
    assert measured_of((), None, None).pairs == {}


def model(**more: Any) -> ModelRef:
    known = {"architecture": "vit", "digest": "a" * 64, "parameters": 200, "model_bytes": 800}
    return ModelRef(**{"name": "m", "active_heads": 6, **known, **more})


def test_the_models_of_a_record_say_how_large_they_are() -> None:
    fields = dict.fromkeys(DecisionRecord.__dataclass_fields__)
    record = cast("DecisionRecord", type("Some", (), {**fields, "findings": ()}))
    assert measured_in(record).pairs == {}
    some = type("Some", (record,), {"baseline": model(), "candidate": model(parameters=100)})  # type: ignore[misc]  # a stand-in
    pairs = measured_in(some).pairs  # type: ignore[arg-type]
    assert {name: tuple(int(one.low) for one in pair) for name, pair in pairs.items()} == {
        "parameters": (200, 100),
        "size": (800, 800),
        "heads": (6, 6),
    }
    some.candidate = model(active_heads=None)  # type: ignore[attr-defined]
    assert set(measured_in(some).pairs) == {"parameters", "size"}  # type: ignore[arg-type]


WHOLE = st.none() | st.integers(0, 10**6)


@given(here=st.booleans(), rows=WHOLE.filter(lambda n: n != 0), changed=WHOLE)
def test_a_note_on_a_processor_is_read_back_and_told(
    here: bool, rows: int | None, changed: int | None
) -> None:
    said = Saturating(products=9, saturating=4, here=here, rows=rows, changed=changed)
    (told,) = saturation_warnings({"candidate": said})
    assert "the candidate computes otherwise" in told
    assert "4 of its 9 eight-bit products" in told
    assert ("they do not" in told) == (not here)
    known = here and rows is not None and changed is not None
    assert ("change their decision" in told) == known
    if known:
        assert f"{changed:,} of {rows:,} rows" in told


def test_notes_are_read_back_and_malformed_ones_are_none(tmp_path: Path) -> None:
    said = Saturating(products=9, saturating=4, here=True, rows=8, changed=1)
    path = tmp_path / "p.parquet"
    table = noted(pa.table({"id": [1]}), {"candidate": model(saturating=said)})
    pq.write_table(table, path)
    found = read_notes(path)
    assert (found.digests, found.saturating) == ({"candidate": "a" * 64}, {"candidate": said})
    assert found.created is not None
    whole = json.loads(table.schema.metadata[b"prunegate.predicted"])
    note = whole["saturating"]["candidate"]
    for wrong in (
        {**whole, "created": "yesterday"},
        {**whole, "environment": ["cpu"]},
        {**whole, "saturating": {"candidate": 3}},
        {**whole, "saturating": {"candidate": {**note, "rows": "8"}}},
        {**whole, "saturating": {"candidate": {**note, "changed": True}}},
        {**whole, "saturating": {"candidate": {**note, "rows": 0, "changed": 0}}},
        {**whole, "saturating": {"candidate": {**note, "products": 10**30}}},
        {**whole, "saturating": {"candidate": {"share": 0.5}}},
        {**whole, "environment": {"cpu": "\ud800"}},
        {**whole, "environment": {f"key{i}": "x" for i in range(9000)}},
        [],
    ):
        metadata = {**table.schema.metadata, b"prunegate.predicted": json.dumps(wrong).encode()}
        pq.write_table(table.replace_schema_metadata(metadata), path)
        assert read_notes(path) == Notes(digests={"candidate": "a" * 64})


@pytest.mark.parametrize("deep", [b"[" * 60_000, b'{"environment":' + b'{"a":' * 9000])
def test_a_note_without_an_end_is_none(deep: bytes, tmp_path: Path) -> None:
    table = pa.table({"id": [1]}).replace_schema_metadata({b"prunegate.predicted": deep})
    pq.write_table(table, tmp_path / "p.parquet")
    assert read_notes(tmp_path / "p.parquet") == Notes()


def test_a_library_that_is_not_there_is_named() -> None:
    made = Tool(
        name="prunegate",
        version=prunegate.__version__,
        python="3.11",
        platform="linux",
        packages={},
    )
    assert made_elsewhere(made, ("no-such-library",)) == ""
    known = replace(made, packages={"no-such-library": "1.0"})
    assert made_elsewhere(known, ("no-such-library",)) == "no-such-library 1.0 (here none)"


def test_quality_that_came_with_the_predictions_is_taken_as_they_say_it(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "prunegate: 1\nname: x\ntask: {kind: language}\nquality: {range: [1, 5]}\n"
        "rules: [{metric: mean_quality, max_drop: 0.5}]\n",
        encoding="utf-8",
    )
    rows = pd.DataFrame({"id": range(60), "tokens": 9, "baseline": 20.0, "candidate": 20.0})
    rated = [1.0 + i % 5 for i in range(60)]
    rows = rows.assign(baseline_quality=rated, candidate_quality=rated)
    record = gate(read_policy(tmp_path / "p.yaml"), rows, ask=agrees).record
    told = "How good the written texts are is taken as the predictions say it."
    assert told in record.known_limits
    assert told not in limits()
