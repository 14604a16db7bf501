"""A number is taken up to the very ends that the reference page tells, and not beyond them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from prunegate.policy import approvals, data_section, expectation_arguments, schema, section, steps
from prunegate.policy import task as tasks
from prunegate.policy.messages import literal, suggest
from prunegate.policy.section import Section

PAGE = Path(__file__).parents[3] / "docs/reference/policy.md"
ROW = re.compile(r"\| `(\w+)` \| (whole )?number, ([^|\[]+?)(?: or [^|]*)? \|")
END = re.compile(r"([≥>≤<]) ([\d.,]+)")


def told() -> Iterator[tuple[str, str, bool, str, float]]:
    """Section, key, whether whole, sign, end: of every number that the page tells an end of."""
    name = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        name = line.removeprefix("## ") if line.startswith("## ") else name
        if row := ROW.match(line):
            for sign, end in END.findall(row[3]):
                yield name, row[1], bool(row[2]), sign, float(end.replace(",", ""))


def sections(base: type[Section]) -> Iterator[type[Section]]:
    for one in base.__subclasses__():
        yield one
        yield from sections(one)


SECTIONS = {one.__name__: one for one in sections(Section)}


def takes(kind: Any, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def test_a_number_is_taken_to_its_ends_as_the_page_tells_them() -> None:
    found = list(told())
    assert len(found) > 120
    for name, key, whole, sign, end in found:
        kind = SECTIONS[name].model_fields[key].rebuild_annotation()
        inwards = 1 if sign in "≥>" else -1
        near = 1 if whole else max(abs(end), 1.0) * 1e-9
        beyond = end - inwards if whole else math.nextafter(end, -inwards * math.inf)
        taken, refused = [end + inwards * near], [beyond]
        (taken if sign in "≥≤" else refused).append(end)
        to = int if whole else float
        where = f"{name}.{key} {sign} {end}"
        assert all(takes(kind, to(value)) for value in taken), where
        assert not any(takes(kind, to(value)) for value in refused), where


LENGTHS: dict[str, tuple[Any, Callable[[int], Any], int, int | None]] = {
    "a text": (section.Text, "x".__mul__, 1, 2000),
    "a name": (section.Name, "x".__mul__, 1, 80),
    "a pattern": (expectation_arguments.Pattern, "x".__mul__, 1, 1000),
    "values": (expectation_arguments.Values, range, 1, 10_000),
    "columns": (expectation_arguments.SomeColumns, lambda n: ["x"] * n, 2, 100),
    "pairs": (
        expectation_arguments.PairAmong.model_fields["value_pairs_set"].rebuild_annotation(),
        lambda n: [(1, 2)] * n, 1, 10_000,
    ),
    "quantiles": (
        expectation_arguments.QuantileRanges,
        lambda n: {"quantiles": [0.5] * n, "value_ranges": [(1, 2)] * n}, 1, 100,
    ),
    "expectations": (
        data_section.DataSection,
        lambda n: {"expect": [{"expect_column_values_to_not_be_null": {"column": "x"}}] * n},
        0, 100,
    ),
    "a mix": (
        data_section.DataSection,
        lambda n: {"production": {"k": {str(i): 1 / n for i in range(n)}}}, 1, 200,
    ),
    "keys of a mix": (
        data_section.DataSection,
        lambda n: {"production": {str(i): {"a": 1.0} for i in range(n)}}, 1, 1,
    ),
    "values of a slice": (section.Selection, lambda n: {"k": ["x"] * n}, 1, None),
    "edges": (schema.SliceSpec, lambda n: {"by": "k", "bins": range(n)}, 1, 100),
    "roles": (
        approvals.Approvals, lambda n: {"required": [{"role": f"r{i}"} for i in range(n)]}, 1, 9,
    ),
    "labels": (
        tasks.Task,
        lambda n: {"kind": "multilabel", "labels": [f"l{i}" for i in range(n)]}, 2, 100,
    ),
    "amounts to search": (
        steps.SearchSection,
        lambda n: {"vary": [{"step": i + 1, "amount": (0.1, 0.5)} for i in range(n)]}, 1, None,
    ),
}  # fmt: skip
"""A kind, one of a length, the fewest and the most."""


@pytest.mark.parametrize(("kind", "of", "fewest", "most"), LENGTHS.values(), ids=LENGTHS)
def test_a_list_is_taken_to_its_lengths(
    kind: Any, of: Callable[[int], Any], fewest: int, most: int | None
) -> None:
    assert takes(kind, of(fewest))
    assert fewest == 0 or not takes(kind, of(fewest - 1))
    assert takes(kind, of(most or 1000))
    assert most is None or not takes(kind, of(most + 1))


LEAST, LEAST_OF_UNITS = 1e-8, 1e-30
LIMITS = {
    "recall, max_drop: %r": (LEAST, 1 - LEAST),
    "recall, min_gain: %r": (LEAST, 1 - LEAST),
    "recall, max_drop: {relative: %r}": (LEAST, 1 - LEAST),
    "recall, max_drop: {error_ratio: %r}": (LEAST, 10.0),
    "recall, max_ratio: %r": (LEAST, 1e6),
    "recall, at_least: %r": (0.0, 1.0),
    "mcc, at_least: %r": (-1.0, 1.0),
    "latency_p50_ms, at_most: %r": (0.0, None),
    "latency_p50_ms, max_rise: %r": (LEAST_OF_UNITS, None),
    "latency_p50_ms, max_rise: {relative: %r}": (LEAST, 1 - LEAST),
    "break_even_month, at_most: %r": (1.0, 18.0),
}
"""What a rule may limit to, besides a change of nothing."""
COST = (
    "cost: {billing: {per_inference: {baseline: 1.0, candidate: %r}}, "
    "volumes: {now: 1, target: 2, months: 18}}\n"
)


@pytest.mark.parametrize(("limit", "ends"), LIMITS.items(), ids=LIMITS)
def test_a_limit_is_taken_to_its_ends(
    limit: str, ends: tuple[float, float | None], rule_mistakes: Callable[..., list[str]]
) -> None:
    for end, away in zip(ends, (-math.inf, math.inf), strict=True):
        if end is not None:
            near, beyond = end, math.nextafter(end, away)
            assert rule_mistakes(f"{{metric: {limit % near}}}", COST % 0.5) == []
            assert rule_mistakes(f"{{metric: {limit % beyond}}}", COST % 0.5) != []


@pytest.mark.parametrize(("length", "told"), [(58, 60), (59, 60), (200, 60), (20, 22)])
def test_a_value_is_shown_in_sixty_characters(length: int, told: int) -> None:
    shown = literal("x" * length)
    assert len(shown) == told
    assert shown.endswith("...") == (length + 2 > 60)


@pytest.mark.parametrize("count", [15, 16, 17])
def test_sixteen_words_are_listed_and_of_more_that_there_are(count: int) -> None:
    words = [f"{i:03}" for i in range(count)]
    more = ["..."] if count > 16 else []
    assert suggest("nothing like it", words) == f"valid: {', '.join([*words[:16], *more])}"


def test_a_price_is_nothing_or_can_be_paid(rule_mistakes: Callable[..., list[str]]) -> None:
    rule = "{metric: recall, at_least: 0.5}"
    assert rule_mistakes(rule, COST % 0.0) == rule_mistakes(rule, COST % 1e-15) == []
    (told,) = rule_mistakes(rule, COST % math.nextafter(1e-15, 0))
    assert "a price below 1e-15 is no price" in told
