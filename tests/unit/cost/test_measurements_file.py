"""Measurements files: what is written is read back, and every mistake is told at once."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures
from prunegate.cost.measurements_file import (
    check_digests,
    measurements_text,
    parse_measurements,
    read_measurements,
    write_measurements,
)
from prunegate.errors import MeasurementError

positive = st.floats(1e-9, 1e9)
counts = st.integers(0, 2**53 - 1)  # where JSON's numbers end
digests = st.text("0123456789abcdef", min_size=64, max_size=64)


@st.composite
def intervals(draw: Any) -> Estimate95:
    low, value, high = sorted(draw(st.tuples(positive, positive, positive)))
    return Estimate95(value=value, low=low, high=high)


@st.composite
def model_figures(draw: Any) -> ModelFigures:
    latencies = sorted(draw(st.tuples(positive, positive, positive)))
    names = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
    return ModelFigures(
        **dict(zip(names, latencies, strict=True)),
        digest=draw(st.none() | digests),
        throughput_per_s=draw(st.none() | positive),
        cpu_ms=draw(st.none() | positive),
        model_bytes=draw(st.none() | counts),
        parameters=draw(st.none() | counts),
        zeros=draw(st.none() | counts),
        quantized=draw(st.none() | st.booleans()),
        peak_memory_bytes=draw(st.none() | counts),
        flops=draw(st.none() | counts),
    )


measurements = st.builds(
    Measurements,
    created=st.just("2026-01-31T09:00:00+00:00"),
    engine=st.text(min_size=1, max_size=20),
    batch=st.integers(1, 512),
    threads=st.integers(1, 64),
    rounds=st.integers(6, 100),
    baseline=model_figures(),
    candidate=model_figures(),
    cpu_ratio=st.none() | intervals(),
    latency_ratio=st.none() | intervals(),
    noise=st.none() | intervals(),
    quiet=st.booleans(),
    environment=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
)


@st.composite
def in_batches(draw: Any) -> Measurements:
    """The same two models in batches of up to four sizes."""
    sizes = draw(st.lists(st.integers(1, 512), min_size=1, max_size=4, unique=True))
    main = draw(measurements)
    first, *others = (
        replace(
            draw(measurements),
            batch=size,
            baseline=replace(draw(model_figures()), digest=main.baseline.digest),
            candidate=replace(draw(model_figures()), digest=main.candidate.digest),
        )
        for size in sizes
    )
    return replace(first, others=tuple(others))


@pytest.mark.slow
@given(value=in_batches())
@settings(
    max_examples=times(20, thorough=100),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_is_written_is_read_back(value: Measurements, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    write_measurements(value, path)
    assert read_measurements(path) == value


def document(**more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "format": "urn:prunegate:measurements:v1",
        "created": "2026-01-31T09:00:00+00:00",
        "engine": "torch",
        "batch": 1,
        "threads": 1,
        "rounds": 6,
        "quiet": True,
        "baseline": {"parameters": 10},
        "candidate": {},
    }
    return base | more


def refused(text: str) -> str:
    with pytest.raises(MeasurementError) as caught:
        parse_measurements(text, "m.json")
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_the_smallest_file() -> None:
    found = parse_measurements(json.dumps(document()), "m.json")
    assert found.baseline == ModelFigures(parameters=10)
    assert (found.cpu_ratio, found.quiet) == (None, True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"baseline": {"parameters": -1}}, "baseline.parameters: got -1"),
        ({"baseline": {"parameters": 1.5}}, "baseline.parameters: got 1.5"),
        ({"baseline": {"parameters": True}}, "baseline.parameters: got True"),
        ({"baseline": {"latency_p50_ms": 0}}, "expected a number above zero"),
        ({"baseline": {"latency_p50_ms": "4"}}, "expected a number above zero"),
        ({"baseline": {"latency_p50_ms": float("nan")}}, "got nan"),
        ({"baseline": {"latency_p50_ms": float("inf")}}, "got inf"),
        ({"baseline": {"latency_p50_ms": 5, "latency_p95_ms": 4}}, "percentiles fall"),
        ({"baseline": {"speed": 4}}, "baseline.speed: unknown key"),
        ({"baseline": []}, "baseline: got []"),
        ({"baseline": {"digest": "abc"}}, "64 lower-case"),
        ({"noise": {"value": 1, "low": 2, "high": 3}}, "low <= value <= high"),
        ({"noise": {"value": 1}}, "noise.high: missing"),
        ({"noise": 1}, "expected an object with"),
        ({"quiet": 1}, "expected true or false"),
        ({"quiet": None}, "expected true or false"),
        ({"batch": 0}, "whole number above zero"),
        ({"batch": None}, "whole number above zero"),
        ({"created": "yesterday"}, "a time with its zone"),
        ({"created": "2026-01-31T09:00:00"}, "a time with its zone"),
        ({"format": "other"}, "expected 'urn:prunegate:measurements:v1'"),
        ({"environment": {"a": 1}}, "object of texts"),
        ({"extra": 1}, "extra: unknown key"),
        ({"baseline": {"flops": 1.5}}, "baseline.flops: got 1.5"),
        ({"baseline": {"peak_memory_bytes": -1}}, "baseline.peak_memory_bytes: got -1"),
        ({"others": {}}, "others: got {}"),
        ({"others": [1]}, "others[0].got 1"),
        ({"others": [{"batch": 0}]}, "others[0].batch: got 0"),
    ],
)
def test_each_mistake_is_named(change: dict[str, Any], words: str) -> None:
    assert words in refused(json.dumps(document(**change)))


def test_other_batches_are_of_the_same_models_and_of_other_sizes() -> None:
    one, other = {"digest": "a" * 64}, {"digest": "b" * 64}
    main = document(baseline=one, candidate=other)
    good = document(baseline=one, candidate=other, batch=8)
    found = parse_measurements(json.dumps(main | {"others": [good]}), "m.json")
    assert [part.batch for part in (found, *found.others)] == [1, 8]
    swapped = good | {"candidate": one}
    assert "not all of the same candidate" in refused(json.dumps(main | {"others": [swapped]}))
    unnamed = good | {"baseline": {}}
    assert "not all of the same baseline" in refused(json.dumps(main | {"others": [unnamed]}))
    again = good | {"batch": 1}
    assert "occurs twice" in refused(json.dumps(main | {"others": [again]}))
    nested = good | {"others": [good]}
    assert "one level deep" in refused(json.dumps(main | {"others": [nested]}))


def test_a_file_of_one_batch_is_as_it_was_before_there_were_several() -> None:
    found = parse_measurements(json.dumps(document()), "m.json")
    assert "others" not in json.loads(measurements_text(found))


def test_all_mistakes_come_at_once() -> None:
    text = json.dumps(document(batch=0, engine="", extra=1)).replace('"rounds": 6', '"rounds": -6')
    message = refused(text)
    assert "4 mistake(s)" in message
    assert "prunegate run" in message
    missing = refused("{}")
    assert missing.count("missing") == 9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"format": 1, "format": 2}', "more than once"),
        ("[" * 100_000, "not"),
        ('{"a": ' * 100_000, "not"),
        ("{", "m.json:1: not JSON"),
        ("", "not JSON"),
        ("[]", "expected an object"),
        ("null", "expected an object"),
        ('{"batch": ' + "9" * 5000 + "}", "not a measurements file"),
        ('{"batch": 9007199254740992}', "9007199254740992 is beyond 2^53"),
        ('{"rounds": 1' + "0" * 30 + "}", "… is beyond 2^53"),
    ],
)
def test_hostile_json(text: str, words: str) -> None:
    assert words in refused(text)


def test_files_that_are_no_measurements(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b" " * ((1 << 20) + 1))
    for name in ("none", ".", "pipe", "binary", "large"):
        with pytest.raises(MeasurementError):
            read_measurements(tmp_path / name)


def test_a_mismatch_names_the_files() -> None:
    one, other = "a" * 64, "b" * 64
    then = {"config.json": one, "model.safetensors": one, "vocab.txt": one}
    found = parse_measurements(
        json.dumps(document(baseline={"digest": one, "files": then}, candidate={})), "m.json"
    )
    now = {"config.json": one, "model.safetensors": other, "tokenizer.json": one}
    expected = "model.safetensors differs, vocab.txt is missing, tokenizer.json is new"
    with pytest.raises(MeasurementError, match=rf"here it is b{{12}} \({expected}\)"):
        check_digests(found, other, None, lambda _role: now)
    again = parse_measurements(measurements_text(found), "m.json")
    assert again == found
    assert "files" not in json.loads(measurements_text(found))["candidate"]


def test_figures_of_other_models_are_refused() -> None:
    one, other = "a" * 64, "b" * 64
    found = parse_measurements(
        json.dumps(document(baseline={"digest": one}, candidate={})), "m.json"
    )
    check_digests(found, one, None)
    check_digests(found, None, None)
    with pytest.raises(MeasurementError, match="baseline was aaaaaaaaaaaa when measured"):
        check_digests(found, other, None)
    with pytest.raises(MeasurementError, match="candidate has no digest"):
        check_digests(found, one, other)
