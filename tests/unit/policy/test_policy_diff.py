"""diff: what each change of a policy is, and that no field is passed over."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ConfigDict

from prunegate.policy.change import Change
from prunegate.policy.diff import diff
from prunegate.policy.diff_words import BECAUSE, change_sentence
from prunegate.policy.directions import DIRECTIONS, Both, Move, direction_of
from prunegate.policy.load import load_policy, parse_policy
from prunegate.policy.schema import Policy
from prunegate.policy.section import Section

HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: unsafe, threshold: 0.5}\n"
SLICES = (
    "slices: [{by: kind, expect: [a, b]}, {by: season}, {name: hol, where: {season: [h, w]}}]\n"
)
BLOCKING = "{metric: accuracy, at_least: 0.5, evidence: point}"


def policy(*rules: str, rest: str = "", slices: str = SLICES) -> Policy:
    return parse_policy(f"{HEAD}{slices}rules: [{', '.join((*rules, BLOCKING))}]\n{rest}")


def told(old: Policy, new: Policy) -> list[tuple[str, str, str]]:
    return [(one.kind, one.where, one.because) for one in diff(old, new)]


def sections(kind: Any, seen: set[type[Section]]) -> Iterator[type[Section]]:
    """Every section that a value of this type can hold."""
    if isinstance(kind, type) and issubclass(kind, Section) and kind not in seen:
        seen.add(kind)
        yield kind
        for field in kind.model_fields.values():
            yield from sections(field.annotation, seen)
    for part in typing.get_args(kind):
        yield from sections(part, seen)


def test_every_field_of_the_model_has_a_direction() -> None:
    """A field added to a policy has to say here which way is tighter."""
    found = {section: set(section.model_fields) for section in sections(Policy, set())}
    assert len(found) > 30
    assert {section: set(fields) for section, fields in DIRECTIONS.items()} == found


def test_a_field_without_a_direction_is_loosened_because_it_cannot_be_told() -> None:
    class Grown(Policy):
        model_config = ConfigDict(title="tomorrow")
        novelty: int = 0

    both = Both(old=policy(), new=policy())
    found = direction_of(Grown, "novelty")(Move(old=0, new=1, both=both))
    assert (found.kind, found.because, found.told) == ("loosened", "undeclared", False)


RULES = {
    # old rule, new rule: what the change is
    ("{metric: recall, at_least: 0.85}", "{metric: recall, at_least: 0.8}"): "loosened number",
    ("{metric: recall, at_least: 0.1}", "{metric: recall, at_least: 0.3}"): "tightened number",
    ("{metric: recall, max_drop: 0.02}", "{metric: recall, max_drop: 0.03}"): "loosened number",
    ("{metric: churn, at_most: 0.02}", "{metric: churn, at_most: 0.03}"): "loosened number",
    ("{metric: recall, min_gain: 0.02}", "{metric: recall, min_gain: 0.01}"): "loosened number",
    ("{metric: recall, max_gain: 0.02}", "{metric: recall, max_gain: 0.1}"): "loosened number",
    (
        "{metric: false_positive_rate, max_rise: 0.02}",
        "{metric: false_positive_rate, max_rise: 0.01}",
    ): "tightened number",
    (
        "{metric: model_bytes, max_ratio: 0.8}",
        "{metric: model_bytes, max_ratio: 0.9}",
    ): "loosened number",
    (
        "{metric: recall, max_drop: {relative: 0.1}}",
        "{metric: recall, max_drop: {relative: 0.2}}",
    ): "loosened number",
    (
        "{metric: recall, max_drop: {error_ratio: 0.5}}",
        "{metric: recall, max_drop: {error_ratio: 0.25}}",
    ): "tightened number",
    ("{metric: recall, max_drop: 0.02}", "{metric: recall, max_drop: {relative: 0.01}}"): (
        "loosened form"
    ),
    ("{metric: recall, max_drop: {error_ratio: 0.5}}", "{metric: recall, max_drop: 0.001}"): (
        "loosened form"
    ),
    (
        "{metric: recall, at_least: 0.8}",
        "{metric: recall, at_least: 0.8, evidence: point}",
    ): "loosened order",
    (
        "{metric: recall, at_least: 0.8, severity: warn}",
        "{metric: recall, at_least: 0.8, severity: block}",
    ): "tightened order",
    (
        "{metric: recall, at_least: 0.8, on_undefined: fail}",
        "{metric: recall, at_least: 0.8}",
    ): "loosened order",
    (
        "{metric: recall, at_least: 0.8}",
        "{metric: recall, at_least: 0.8, slices: [overall, kind]}",
    ): "tightened added",
    (
        "{metric: recall, at_least: 0.8, slices: kind}",
        "{metric: recall, at_least: 0.8, slices: kind=a}",
    ): "loosened removed, tightened implied",
    (
        "{metric: recall, at_least: 0.8, max_drop: 0.1}",
        "{metric: recall, at_least: 0.8}",
    ): "loosened removed",
}


@pytest.mark.parametrize(("rules", "expected"), RULES.items())
def test_a_changed_rule(rules: tuple[str, str], expected: str) -> None:
    old, new = (policy(rule) for rule in rules)
    if "implied" in expected:  # one slice of a slicing was covered before, so it adds nothing
        expected = "loosened removed, neutral implied"
    assert ", ".join(f"{kind} {because}" for kind, _, because in told(old, new)) == expected


def test_how_rules_are_written_down_does_not_matter() -> None:
    one = "{metric: recall, slices: all, at_least: 0.8, max_drop: 0.1}"
    levels = [
        f"{{metric: recall, slices: {place}, at_least: 0.8}}" for place in ("overall", "kind")
    ]
    drops = "{metric: recall, slices: [hol, season, kind, overall], max_drop: 0.1}"
    rest = "{metric: recall, slices: [season, hol], at_least: 0.8}"
    moved = policy(drops, *levels, rest)
    assert told(moved, policy(rest, *levels[::-1], drops)) == []
    # named by itself, a slicing without expected values has to have a slice that can be judged
    assert told(policy(one), moved) == [("tightened", "rules.slices", "judged")]
    assert told(moved, policy(one)) == [("loosened", "rules.slices", "judged")]


def test_a_limit_that_a_stricter_one_implies_is_not_missed() -> None:
    both = ("{metric: recall, slices: kind, at_least: 0.9}", "{metric: recall, slices: kind=a, ")
    old = policy(both[0], both[1] + "at_least: 0.8, evidence: point}")
    assert told(old, policy(both[0])) == [("neutral", "rules.at_least", "implied")]
    assert told(policy(both[0]), old) == [("neutral", "rules.at_least", "implied")]
    stricter = policy(both[0], both[1] + "at_least: 0.95}")
    assert told(stricter, policy(both[0])) == [("loosened", "rules.at_least", "removed")]


def test_changes_of_several_slices_are_told_once() -> None:
    old = policy("{metric: recall, slices: all, at_least: 0.8}")
    (one,) = diff(old, policy("{metric: recall, slices: all, at_least: 0.7}"))
    assert one.about
    assert one.about.slices == ("overall", "kind", "season", "hol")
    assert change_sentence(one) == (
        "recall on overall, kind, season and hol: the limit was at least 80 % and is at least 70 "
        "%; less is demanded."
    )


MULTICLASS = "prunegate: 1\nname: x\ntask: {kind: multiclass, classes: [cat, dog, bird]}\n"


def test_classes_are_matched_by_name() -> None:
    def classes(which: str) -> Policy:
        rule = f"{{metric: recall, classes: {which}, at_least: 0.8}}"
        return parse_policy(f"{MULTICLASS}rules: [{rule}]\n")

    assert told(classes("each"), classes("[dog, bird, cat]")) == []
    assert told(classes("each"), classes("[dog, cat]")) == [
        ("loosened", "rules.at_least", "removed")
    ]
    (gone,) = diff(classes("each"), classes("[cat]"))
    assert gone.about
    assert gone.about.classes == ("dog", "bird")
    found = told(classes("macro"), classes("each"))
    assert {kind for kind, _, _ in found} == {"loosened", "tightened"}


COST = "cost: {billing: {per_inference: {baseline: %s}}}\n"
PRUNE = "compress: [{prune: {what: heads, amount: %s}}]\nmodel: {baseline: b}\n"
SEARCH = (
    f"{PRUNE % 0.3}{COST % 1}"
    "search: {objective: cost_per_1k, vary: [{step: 1, amount: [0.2, 0.4]}]%s}\n"
)
SECTIONS = {
    ("evidence: {confidence: 0.95}", "evidence: {confidence: 0.9}"): (
        "loosened evidence.confidence number"
    ),
    ("evidence: {confidence: 0.9}", "evidence: {}"): "tightened evidence.confidence number",
    ("evidence: {confidence: 0.95}", ""): "",
    ("evidence: {strict: true}", ""): "loosened evidence.strict order",
    ("evidence: {minimum: {rows: 5}}", ""): "loosened evidence.minimum.rows number",
    ("evidence: {minimum: {positives: 5}}", "evidence: {minimum: {positives: 9}}"): (
        "tightened evidence.minimum.positives number"
    ),
    ("group: post", ""): "loosened group group",
    ("", "group: post"): "loosened group group",
    ("owner: a", "owner: b"): "neutral owner words",
    ("", "purpose: b"): "neutral purpose words",
    (COST % 1, COST % 2): "neutral cost.billing.per_inference.baseline no_money_rule",
    (PRUNE % 0.3, PRUNE % 0.4): "neutral compress[0].prune.amount making",
    ("model: {baseline: a}", "model: {baseline: b}"): "loosened model.baseline baseline",
    (
        "model: {baseline: a, candidate: c}",
        "model: {baseline: a, candidate: d}",
    ): "neutral model.candidate candidate",
    ("data: {table: a.csv}", "data: {table: b.csv}"): "loosened data.table data",
    ("data: {table: a.csv}", "data: {table: a.csv, columns: {label: truth}}"): (
        "loosened data.columns.label data"
    ),
    ("", "claims: {figures: {size: {before: 3 MB}}}"): "tightened claims added",
    (
        "claims: {figures: {size: {before: 3 MB}}}",
        "claims: {figures: {size: {before: 3 MB}}, severity: warn}",
    ): "loosened claims.severity order",
    (
        "claims: {figures: {size: {before: 3 MB}}}",
        "claims: {figures: {size: {before: 4 MB}}}",
    ): "loosened claims.figures.size.before claims",
    ("claims: {file: a.yaml}", "claims: {file: b.yaml}"): "loosened claims.file claims",
    (SEARCH % "", SEARCH % ", confidence: 0.96"): "tightened search.confidence number",
    (SEARCH % ", confidence: 0.96", SEARCH % ""): "loosened search.confidence number",
    (SEARCH % ", confidence: 0.95", SEARCH % ""): "neutral search.confidence same",
    (SEARCH % "", SEARCH % ", control: false"): "neutral search.control making",
    (SEARCH % ", control: {draws: 1}", SEARCH % ", control: {draws: 5}"): (
        "neutral search.control.draws making"
    ),
}


@pytest.mark.parametrize(("rest", "expected"), SECTIONS.items())
def test_a_changed_section(rest: tuple[str, str], expected: str) -> None:
    old, new = (policy(rest=text) for text in rest)
    assert ", ".join(" ".join(one) for one in told(old, new)) == expected


def test_a_task_that_changes_cannot_be_told() -> None:
    old = policy()
    for change in ({"threshold": 0.6}, {"positive": "safe"}, {"positive": True}):
        new = old.model_copy(update={"task": old.task.model_copy(update=change)})
        (one,) = diff(old, new)
        assert (one.kind, one.told, one.because) == ("loosened", False, "task")
    ones = [
        old.model_copy(update={"task": old.task.model_copy(update={"positive": p})})
        for p in (1, True)
    ]
    assert diff(*ones)  # 1 == True in Python, but not in a table


def test_more_evidence_passes_small_slices_over_that_nobody_declared() -> None:
    rule = "{metric: recall, slices: %s, at_least: 0.8}"
    small, large = "", "evidence: {minimum: {rows: 100}}"
    by_kind = (policy(rule % "kind"), policy(rule % "kind", rest=large))
    assert told(*by_kind) == [("loosened", "evidence.minimum.rows", "undeclared_slices")]
    named = (policy(rule % "hol", rest=small), policy(rule % "hol", rest=large))
    assert told(*named) == [("tightened", "evidence.minimum.rows", "number")]


def test_prices_matter_where_money_is_limited() -> None:
    rule = "{metric: cost_per_1k, max_ratio: 0.8}"
    found = told(policy(rule, rest=COST % 1), policy(rule, rest=COST % 2))
    assert found == [("loosened", "cost.billing.per_inference.baseline", "money")]


def test_slices() -> None:
    def slices(text: str) -> Policy:
        return policy(slices=f"slices: [{text}]\n")

    kind, season = "{by: kind, expect: [a, b]}", "{by: season}"
    assert told(slices(f"{kind}, {season}"), slices(f"{season}, {kind}")) == []
    assert told(slices(kind), slices("{by: kind, expect: [b, a]}")) == []
    assert told(slices(kind), slices("{by: kind, expect: [b, c]}")) == [
        ("loosened", "slices.kind.expect", "not_expected"),
        ("tightened", "slices.kind.expect", "expected"),
    ]
    assert told(slices(kind), slices(f"{kind}, {season}")) == [
        ("tightened", "slices.season", "added")
    ]
    hol = "{name: hol, where: {s: [h, w], t: 1}}"
    assert told(slices(hol), slices("{name: hol, where: {t: [1], s: [w, h]}}")) == []
    assert told(slices(hol), slices("{name: hol, where: {s: [h, w], t: true}}")) == [
        ("loosened", "slices.hol.where", "where")
    ]
    assert told(slices("{name: s, where: {t: 1}}"), slices("{by: s}")) == [
        ("loosened", "slices.s", "where")
    ]


@pytest.mark.parametrize("other", ["bins: [1, 3]", "quantiles: 4"])
def test_other_intervals_are_other_slices(other: str) -> None:
    old, new = (
        policy(slices=f"slices: [{{by: w, {given}}}]\n") for given in ("bins: [1, 2]", other)
    )
    found = told(old, new)
    assert ("loosened", "slices.w.bins", "where") in found
    assert {kind for kind, _, _ in found} == {"loosened"}


def test_figures_that_were_read_may_stand_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("claims: 1\nsize: {before: 3 MB}\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("claims: 1\nsize: {before: 4 MB}\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_text("claims: 1\nsize: {before: 3 MB}\n", encoding="utf-8")

    def read(name: str) -> Policy:
        text = f"{HEAD}rules: [{BLOCKING}]\nclaims: {{file: {name}.yaml}}\n"
        (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
        return load_policy(tmp_path / "policy.yaml")

    assert told(read("a"), read("c")) == [("neutral", "claims.file", "place")]
    assert told(read("a"), read("b")) == [
        ("loosened", "claims.figures.size.before", "claims"),
        ("neutral", "claims.file", "place"),
    ]


SENTENCES = {
    ("classes: each, at_least: 0.8", "classes: each, at_least: 0.7"): (
        "recall of cat, dog and bird on overall: the limit was at least 80 % and is at least 70 %; "
        "less is demanded."
    ),
    ("classes: [cat], at_least: 0.7", "classes: [cat], at_least: 0.8"): (
        "recall of cat on overall: the limit was at least 70 % and is at least 80 %; "
        "more is demanded."
    ),
    ("at_least: 0.8, severity: warn", "at_least: 0.8"): (
        'recall on overall, at least 80 %: its severity was "warn" and is "block"; more is '
        "demanded."
    ),
    ("at_least: 0.8, on_undefined: fail", "at_least: 0.8"): (
        'recall on overall, at least 80 %: its on_undefined was "fail" and is "inconclusive"; '
        "less is demanded."
    ),
}


@pytest.mark.parametrize(("rules", "sentence"), SENTENCES.items())
def test_a_changed_limit_in_a_sentence(rules: tuple[str, str], sentence: str) -> None:
    old, new = (
        parse_policy(f"{MULTICLASS}rules: [{{metric: recall, {r}}}, {BLOCKING}]\n") for r in rules
    )
    assert [change_sentence(one) for one in diff(old, new)] == [sentence]


def test_every_reason_has_words_for_its_kinds() -> None:
    assert all(words for kinds in BECAUSE.values() for words in kinds.values())


def test_names_from_the_policy_are_harmless_in_a_sentence() -> None:
    one = Change(kind="loosened", where="slices.a\u202eb", old="x\n", new=None, because="removed")
    assert (
        change_sentence(one) == 'slices.a\\u202eb is gone (was "x\\n"); that is demanded no longer.'
    )


def test_what_cannot_be_told_says_why() -> None:
    (one,) = diff(policy(rest="group: post"), policy())
    assert change_sentence(one) == (
        'group is gone (was "post"); whether more can pass now cannot be told, because other rows '
        "count as dependent on each other."
    )
