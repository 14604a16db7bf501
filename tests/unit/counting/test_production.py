"""Production's mix: estimates against direct standardisation, what is lacking, records."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import prunegate
from prunegate.audit.expected_findings import expected_places
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.audit.tallied import slices_in, tallies_of
from prunegate.cli.check import command as check
from prunegate.counting.contract_of_counts import contract_of_counts
from prunegate.counting.counts_table import read_counts
from prunegate.counting.labellable import require_labellable
from prunegate.counting.production_counts import with_production
from prunegate.data.contract.contract import require_mix
from prunegate.data.contract.mix import mix_distance
from prunegate.errors import ContractError, InternalError, PolicyError, UnsupportedError
from prunegate.evidence.weighted_agreement import beyond_chance
from prunegate.planning.plan import require_plannable
from prunegate.policy.explain import explain_policy
from prunegate.policy.load import parse_policy
from prunegate.policy.production import production_mix
from prunegate.policy.rules_digest import rules_digest
from prunegate.policy.schema import Policy
from prunegate.stats.weighted import WeightedCells, WeightedContrast
from prunegate.verdict.decide import decide

MIX = "{kind: {a: 0.2, b: 0.8}}"


def policy(mix: str = MIX, more: str = "", rules: str = "") -> Policy:
    """A policy with rules on production's mix."""
    rules = rules or "  - {metric: recall, slices: [overall, production], max_drop: 0.1}\n"
    return parse_policy(
        "prunegate: 1\nname: mix\ntask: {kind: binary, positive: 1, threshold: 0.5}\n"
        f"slices: [{{by: kind}}]\n{more}data: {{production: {mix}}}\nrules:\n{rules}"
    )


def counts(sizes: dict[str, int], seed: int = 0) -> pd.DataFrame:
    """Joint counts of models that are right nine times in ten; better on ``a``."""
    rng = np.random.default_rng(seed)
    lines = []
    for kind, rows in sizes.items():
        wrong = 0.05 if kind == "a" else 0.15
        right = [(1 - wrong) * 0.98, (1 - wrong) * 0.02, wrong * 0.1, wrong * 0.9]
        for label in (0, 1):
            pairs = [(label, label), (label, 1 - label), (1 - label, label), (1 - label, 1 - label)]
            for (b, c), n in zip(pairs, rng.multinomial(rows // 2, right), strict=True):
                lines.append({"kind": kind, "label": label, "baseline": b, "candidate": c, "n": n})
    return pd.DataFrame(lines)


RULES = "".join(
    f"  - {{metric: {name}, slices: production, at_least: 0.5}}\n"
    for name in ("recall", "precision", "accuracy", "f1")
)


def test_only_what_is_asked_of_all_rows_is_told_of_production() -> None:
    """A rule on one slice, or on an order of scores, says nothing of the mix."""
    table = counts({"a": 300, "b": 600})
    never = table.groupby(["kind", "label", "baseline"], as_index=False)["n"].sum()
    found = prunegate.judge_counts(
        policy(
            rules="  - {metric: precision, at_least: 0.2}\n"
            "  - {metric: recall, slices: kind, at_least: 0.2}\n"
            "  - {metric: model_bytes, at_most: 5}\n"
        ),
        never.assign(candidate=0),
    )
    assert found.production is not None
    (told,) = found.production
    assert told.metric == "precision"
    assert told.baseline is not None
    assert (told.candidate, told.difference, told.ci_low, told.ci_high) == (None,) * 4


def test_a_value_in_production_is_the_directly_standardised_one() -> None:
    table = counts({"a": 3000, "b": 600})
    found = prunegate.judge_counts(policy(rules=RULES), table)
    share = {"a": 0.2 / 3000, "b": 0.8 / 600}
    weight = table["kind"].map(share) * table["n"]
    y, c = table["label"] == 1, table["candidate"] == 1
    hit, alarm, positive = weight[y & c].sum(), weight[~y & c].sum(), weight[y].sum()
    expected = {
        "recall": hit / positive,
        "precision": hit / (hit + alarm),
        "accuracy": weight[y == c].sum() / weight.sum(),
        "f1": 2 * hit / (positive + hit + alarm),
    }
    findings = {f.metric: f.candidate for f in found.findings if f.check == "at_least"}
    assert findings == pytest.approx(expected, rel=1e-9)
    told = {value.metric: value.candidate for value in found.production or ()}
    assert told == pytest.approx(expected, rel=1e-9)
    assert found.outcome == "approve"


def test_a_mix_like_the_tables_says_what_all_rows_say() -> None:
    asked = policy("{kind: {a: 0.5, b: 0.5}}")
    found = prunegate.judge_counts(asked, counts({"a": 1000, "b": 1000}))
    overall, production = (f for f in found.findings if f.check == "max_drop")
    assert replace(production, slice="overall", effective=None) == replace(overall, effective=None)


@pytest.mark.parametrize("rows", [0, 20])
def test_content_that_production_sees_and_the_data_lack_is_never_a_pass(rows: int) -> None:
    asked = policy()
    found = prunegate.judge_counts(asked, counts({"a": 3000, "b": rows}))
    open_ones = [f for f in found.findings if f.slice == "production"]
    assert open_ones
    assert found.outcome == "inconclusive"
    for one in open_ones:
        assert (one.status, one.needed, one.needed_unit) == ("inconclusive", 30 - rows, "rows")
    assert f"b ({rows} rows)" in open_ones[0].note
    assert bool(found.production) == (rows > 0)


def test_all_means_the_slices_and_not_the_mix() -> None:
    rule = "  - {metric: recall, slices: all, max_drop: 0.1}\n"
    found = prunegate.judge_counts(policy(rules=rule), counts({"a": 900, "b": 900}))
    assert {f.slice for f in found.findings} == {"overall", "kind=a", "kind=b"}


def test_a_record_keeps_nothing_of_it_and_it_follows_from_the_rest() -> None:
    asked = policy()
    slices = read_counts(asked, counts({"a": 900, "b": 300}))
    verdict = decide(asked, slices)
    again = slices_in("binary", verdict.slices, tallies_of(slices))
    assert [one.name for one in again] == ["overall", "kind=a", "kind=b"]
    assert with_production(asked, again) == slices
    assert decide(asked, with_production(asked, again)) == verdict


@pytest.mark.slow
def test_the_second_opinion_foresees_and_denies() -> None:
    asked = policy()
    verdict = prunegate.judge_counts(asked, counts({"a": 900, "b": 300}))
    places = {(p.slice, p.check) for p in expected_places(asked, verdict.slices)}
    assert ("production", "max_drop") in places
    second_opinion(asked, verdict, ())
    lacking = prunegate.judge_counts(asked, counts({"a": 3000, "b": 20}))
    passed = tuple(
        replace(f, status="pass", open_because=None, needed=None, needed_unit=None)
        for f in lacking.findings
    )
    with pytest.raises(InternalError):
        second_opinion(asked, replace(lacking, findings=passed, outcome="approve"), ())


@pytest.mark.parametrize(
    ("mix", "more", "rules", "said"),
    [
        ("{kind: {a: 0.5, b: 0.2}}", "", "", "add up to 0.7"),
        ("{sort: {a: 1}}", "", "", "no slicing key by itself"),
        (MIX, "weight: w\n", "", "keep one of the two"),
        (MIX, "group: post\n", "", "not reweighted by this version"),
        (MIX, "", "  - {metric: auc, slices: production, at_least: 0.5}\n", "cannot be reweighted"),
    ],
)
def test_what_contradicts_a_mix_is_told_by_name(mix: str, more: str, rules: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        policy(mix, more, rules)


def test_a_rule_on_a_mix_that_is_not_declared_is_a_mistake() -> None:
    text = (
        "prunegate: 1\nname: mix\ntask: {kind: binary, positive: 1, threshold: 0.5}\n"
        "rules: [{metric: recall, slices: production, max_drop: 0.1}]\n"
    )
    with pytest.raises(PolicyError, match="'data: production:' declares"):
        parse_policy(text)


def test_a_mix_that_is_none_is_one_mistake() -> None:
    with pytest.raises(PolicyError) as caught:
        policy("{kind: 3}")
    assert len(caught.value.mistakes) == 1


def test_plans_and_partial_labels_refuse_it_by_name_and_the_bar_knows_it() -> None:
    for refuse in (require_plannable, require_labellable):
        with pytest.raises(UnsupportedError, match="slices: production"):
            refuse(policy())
    assert "b 80 %, a 20 %" in " ".join(explain_policy(policy())).replace("\u00a0", " ")
    assert rules_digest(policy()) != rules_digest(policy("{kind: {a: 0.3, b: 0.7}}"))


@pytest.mark.parametrize(
    ("rows", "distance"),
    [({"a": 20, "b": 80}, 0.0), ({"a": 80, "b": 20}, 0.6), ({"c": 7}, 1.0), ({}, None)],
)
def test_the_distance_is_the_total_variation(rows: dict[str, int], distance: float | None) -> None:
    mix = production_mix(policy())
    assert mix is not None
    assert mix_distance(mix, rows).distance == pytest.approx(distance)


@pytest.mark.slow
def test_a_mix_outside_the_tolerance_breaks_the_contract_and_few_rows_do_not() -> None:
    asked = policy(f"{MIX}, tolerance: 0.1")
    near, far = (read_counts(asked, counts(rows)) for rows in ({"a": 200, "b": 800}, {"a": 900}))
    require_mix(asked, {"a": 200, "b": 800})
    assert contract_of_counts(asked, near).holds
    with pytest.raises(ContractError, match=r"0.8 .*'b' 0.% of the rows, 80.0.% there"):
        contract_of_counts(asked, far).require()
    with pytest.raises(ContractError, match=r"expected at most 0\.1"):
        require_mix(asked, {})
    wanting = parse_policy(
        "prunegate: 1\nname: few\ntask: {kind: binary, positive: 1, threshold: 0.5}\n"
        "slices: [{by: kind, expect: [a, c]}]\nevidence: {minimum: {rows: 50}}\n"
        "rules: [{metric: recall, slices: all, max_drop: 0.1}]\n"
    )
    report = contract_of_counts(wanting, read_counts(wanting, counts({"a": 900})))
    assert report.lacks_evidence
    assert [one.name for one in report.clauses if not one.holds] == [
        "kind=c.rows",
        "kind=c.positives",
    ]


def test_a_mix_far_from_productions_is_a_warning_without_a_tolerance() -> None:
    found = prunegate.judge_counts(policy(), counts({"a": 900, "b": 300}))
    assert any("0.55 from production's" in warning for warning in found.warnings)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mix", "minimum", "code", "said"),
    [
        ("{a: 0.5, b: 0.5}", 10, 0, "The data contract holds: 5 clauses, 60 rows."),
        ("{a: 0.5, b: 0.5}", 40, 4, "rows of 'kind=a': 30, expected at least 40; label 10 more"),
        ("{a: 0.9, b: 0.1}", 10, 2, "expected at most 0.2"),
    ],
)
def test_check_reads_predictions(
    tmp_path: Path, mix: str, minimum: int, code: int, said: str
) -> None:
    policy_file, table = tmp_path / "p.yaml", tmp_path / "t.csv"
    policy_file.write_text(
        "prunegate: 1\nname: few\ntask: {kind: binary, positive: 1, threshold: 0.5}\n"
        "slices: [{by: kind, expect: [a]}]\n"
        f"evidence: {{minimum: {{rows: {minimum}, positives: 5}}}}\n"
        f"data: {{production: {{kind: {mix}}}, tolerance: 0.2}}\n"
        "rules: [{metric: recall, slices: all, max_drop: 0.1}]\n"
    )
    lines = [f"r{n},{n % 2},0.{n % 10},0.{n % 10},{'ab'[n % 4 // 2]}" for n in range(60)]
    table.write_text("id,label,baseline,candidate,kind\n" + "\n".join(lines) + "\n")
    arguments = [str(policy_file), "--predictions", str(table)]
    found = CliRunner().invoke(check, arguments, standalone_mode=False)
    assert "warning: Baseline and candidate agree exactly" in found.output  # however it ends
    if code == 2:
        assert isinstance(found.exception, ContractError)
        assert said in str(found.exception)
        return
    assert (found.return_value, said in found.output) == (code, True)


@pytest.mark.parametrize(("most", "shown"), [(4, False), (5, True)])
def test_where_the_steps_lead_nowhere_too_many_cells_show_nothing(
    most: int, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way for contrasts far from their limit: the same tail, or none that approves."""
    cells = [(y, d) for y in "01" for d in "01"]
    rows = WeightedCells(units=(900.0, 40.0, 50.0, 700.0), weight=(1.0, 0.4, 1.0, 0.6), heaviest=1)
    one = WeightedContrast(
        cells=rows, scores=lambda masses: beyond_chance(dict(zip(cells, masses, strict=True)))
    )
    known = one.p_harm
    monkeypatch.setattr("prunegate.stats.weighted._ROUNDS", 0)
    monkeypatch.setattr("prunegate.stats.weighted._MOST_UNKNOWN", most)
    if shown:
        assert one.p_harm == pytest.approx(known, rel=1e-6)
    else:
        assert (one.p_value, one.p_harm) == (1, 1)


@pytest.mark.parametrize("units", [(1800.0, 20.0, 30.0, 1200.0), (18000.0, 2.0, 3.0, 12000.0)])
def test_what_lies_far_from_its_limit_is_found(units: tuple[float, ...]) -> None:
    cells = [(y, d) for y in "01" for d in "01"]

    def contrast(held: tuple[float, ...]) -> WeightedContrast:
        rows = WeightedCells(units=held, weight=(1.0, 0.4, 1.0, 0.6), heaviest=1.0)
        return WeightedContrast(
            cells=rows,
            scores=lambda masses: beyond_chance(dict(zip(cells, masses, strict=True))),
        )

    known, turned = contrast(units), contrast((units[1], units[0], units[3], units[2]))
    assert known.p_value < 1e-20
    assert known.p_harm > 0.5
    assert turned.p_harm < 1e-20
    assert turned.p_value > 0.5
