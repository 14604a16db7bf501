"""A record's verdict follows from what it holds, for every kind of task; else it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.counting import kinds

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.opinion.agreement import SecondOpinion
from prunegate.audit.opinion.process import Awaited
from prunegate.audit.read import kept_form, parse_record, read_record
from prunegate.audit.recompute import ADDED, ADDED_LATER, differences, require_follows
from prunegate.audit.record import DecisionRecord
from prunegate.audit.tallied import Tallies, slices_in, tallies_of
from prunegate.audit.tallied_sums import TalliedQuantity
from prunegate.counting.cluster_sums import Clusters
from prunegate.counting.feature_sums import FeatureSums
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import JointCounts, LabelCounts, Sums, Tally
from prunegate.errors import EvidenceError, InputError, InternalError
from prunegate.gate import gate
from prunegate.policy.load import read_policy
from prunegate.verdict.finding import SliceSummary, Verdict
from prunegate.verdict.gate_set_attempt import GateSetAttempt

pytestmark = pytest.mark.slow

HOSTILE = Path(__file__).parents[2] / "hostile"
RULES = {
    "binary": "{metric: recall, slices: all, max_drop: 0.04}",
    "multiclass": "{metric: accuracy, slices: all, max_drop: 0.04}",
    "score": "{metric: mae, slices: all, max_rise: 0.5}",
    "language": "{metric: nll_per_token, slices: all, max_rise: 0.5}",
}
CASES = [(kind, group) for kind in RULES for group in ("", "group: post\n")]
CLAIMS = "claims: {figures: {heads: {before: 144, removed: 46, after: 98}}}\n"


def record_of(folder: Path, kind: str, group: str, more: str = "") -> DecisionRecord:
    head = f"prunegate: 1\nname: x\ntask: {kinds._TASKS[kind]}\n{kinds.SLICES}{group}{more}"
    (folder / "p.yaml").write_text(f"{head}rules:\n  - {RULES[kind]}\n", encoding="utf-8")
    return gate(read_policy(folder / "p.yaml"), kinds.table(kind, 5, 600)).record


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], DecisionRecord]:
    folder = tmp_path_factory.mktemp("records")
    return {case: record_of(folder, *case) for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}{'-grouped' * bool(case[1])}")
def test_the_whole_verdict_follows_from_the_record_alone(
    records: dict[tuple[str, str], DecisionRecord], case: tuple[str, str]
) -> None:
    found = kept_form(canonical_bytes(records[case])).record
    assert not list(differences(found))
    assert (found.tallies is None) == (case == ("binary", ""))


@pytest.mark.parametrize("case", [case for case in CASES if case != ("binary", "")])
def test_a_record_without_its_tallies_is_refused_with_what_to_do(
    records: dict[tuple[str, str], DecisionRecord], case: tuple[str, str]
) -> None:
    with pytest.raises(EvidenceError, match=r"no tallies .*judge again with 'prunegate gate'"):
        require_follows(replace(records[case], tallies=None), "r.json")


ATTEMPT = {
    **dict.fromkeys(("gate_set", "contents", "rules"), "a" * 64),
    "candidate": ("b" * 64,),
    "baseline": ("c" * 64,),
    "number": 1,
    "known": 1,
    "reuse": "ledger",
    "alpha": 0.05,
    "alpha_of_all": None,
}
EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "outcome": (lambda d: d.update(outcome="approve"), r'outcome is "approve", but must be'),
    "exit code": (lambda d: d.update(exit_code=0), "exit_code is 0, but must be"),
    "a status": (lambda d: d["findings"][2].update(status="pass"), r"findings\[2\].status"),
    "a number": (lambda d: d["findings"][1].update(p_value=0.01), r"findings\[1\].p_value is 0.01"),
    "a dropped finding": (lambda d: d["findings"].pop(), "findings is .* entries"),
    "no findings": (lambda d: d.update(findings=[]), 'findings is "0 entries"'),
    "a cell": (lambda d: d["slices"][1]["cells"].__setitem__(7, 1), "slices|findings|reasons"),
    "a dropped slice": (lambda d: d["slices"].pop(), "sum of these slices|slices"),
    "an undeclared slice": (lambda d: d["slices"][1].update(declared=False), "declared is false"),
    "a reason": (lambda d: d.update(reasons=["All is well."]), r"reasons\[0\]"),
    "the statement": (lambda d: d.update(statement="Certain."), "statement is"),
    "a rule": (lambda d: d["policy"]["document"]["rules"][0].update(max_drop=0.9), "is"),
    "a sentence": (lambda d: d["policy"].update(sentences=["Nothing."]), "policy.sentences"),
    "the owner": (lambda d: d["policy"].update(owner="me"), "policy.owner"),
    "a limit": (lambda d: d["known_limits"].pop(0), "known_limits is"),
    "what a method keeps": (
        lambda d: d["findings"][0].update(method_kind="approximate"),
        r'findings\[0\].method_kind is "approximate", but must be "exact"',
    ),
    "what left it open": (
        lambda d: next(f for f in d["findings"] if f["open_because"]).update(open_because=None),
        r"findings\[\d+\].open_because is null",
    ),
    "an allowed loss": (lambda d: d.update(allowed_losses=[0]), "allowed_losses is"),
    "what a warning is about": (
        lambda d: d.update(warning_facts=[{"kind": "loss", "place": 0}]),
        "warning_facts",
    ),
    "a guarantee": (
        lambda d: d["guarantee"].update(alpha=0.01),
        "guarantee.alpha is 0.01, but must be 0.05",
    ),
    "a moment": (lambda d: d.update(created="yesterday"), 'created is "yesterday"'),
    "a term": (lambda d: d.update(revalidate_on="2999-01-01"), "revalidate_on"),
    "rows past 2**53": (
        lambda d: d["slices"][0].update(cells=[2**53 - 1] * 8),
        "cannot be worked out again|sum of these slices",
    ),
    "no policy": (lambda d: d["policy"]["document"].pop("rules"), "policy.document is no policy"),
    "an attempt before the first": (
        lambda d: d.update(attempt={**ATTEMPT, "number": 0}),
        "attempt.number is 0, but attempts are numbered from 1",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_record_is_refused_and_the_place_is_named(
    records: dict[tuple[str, str], DecisionRecord], edit: str
) -> None:
    change, words = EDITS[edit]
    document = json.loads(canonical_bytes(records["binary", ""]))
    assert document["outcome"] == "inconclusive"
    change(document)
    record = parse_record(canonical_bytes(document), "r.json").record
    with pytest.raises(EvidenceError, match=words):
        require_follows(record, "r.json")


@pytest.mark.parametrize("named", [True, False])
def test_design_weights_are_those_that_the_policy_names(tmp_path: Path, named: bool) -> None:
    text = f"prunegate: 1\nname: x\ntask: {kinds._TASKS['binary']}\n{kinds.SLICES}"
    rules = f"rules:\n  - {RULES['binary']}\n"
    (tmp_path / "p.yaml").write_text(f"{text}weight: w\n{rules}", encoding="utf-8")
    source = read_policy(tmp_path / "p.yaml")
    rows = kinds.table("binary", 5, 60)
    record = gate(source, rows.assign(w=1.0 + rows.index % 3), ask=agrees).record
    assert not list(differences(record))
    assert record.tallies is not None
    if named:  # and there are none
        slices = tuple(replace(one, weights=None) for one in record.tallies.slices)
        changed = replace(record, tallies=replace(record.tallies, slices=slices))
        words = "there are no weights"
    else:
        document = {k: v for k, v in record.policy.document.items() if k != "weight"}
        changed = replace(record, policy=replace(record.policy, document=document))
        words = "design weights that its policy does not name, or none of these"
    with pytest.raises(EvidenceError, match=words):
        require_follows(changed, "r.json")


def test_a_slice_without_rows_has_no_weights_and_needs_none(tmp_path: Path) -> None:
    text = f"prunegate: 1\nname: x\ntask: {kinds._TASKS['binary']}\nweight: w\n"
    slices = "slices: [{by: kind, expect: [a, b, gone]}]\n"
    rules = f"rules:\n  - {RULES['binary']}\n"
    (tmp_path / "p.yaml").write_text(f"{text}{slices}{rules}", encoding="utf-8")
    rows = kinds.table("binary", 5, 60)
    record = gate(read_policy(tmp_path / "p.yaml"), rows.assign(w=2.0), ask=agrees).record
    assert not list(differences(kept_form(canonical_bytes(record)).record))
    assert record.tallies is not None
    (gone,) = [place for place, one in enumerate(record.slices) if one.rows == 0]
    assert record.tallies.slices[gone].weights is None


def agrees(_policy: object, verdict: Verdict, _waivers: object = ()) -> Awaited:
    """What the second opinion says, without its engine."""
    found = len(verdict.findings)
    return lambda **_: SecondOpinion(engine="an engine 1.0", expectations=3, findings=found)


@pytest.mark.parametrize(("look", "told"), [(0, True), (1, False), (2, True), (None, False)])
def test_a_look_is_one_that_the_policy_allows(
    records: dict[tuple[str, str], DecisionRecord], look: int | None, told: bool
) -> None:
    attempt = GateSetAttempt(**{**ATTEMPT, "look": look})
    changed = differences(replace(records["binary", ""], attempt=attempt))
    found = [(one.got, one.expected) for one in changed if one.where == "attempt.look"]
    assert found == ([(look, "1 to 1")] if told else [])


def test_a_record_from_before_the_facts_follows_and_they_cannot_be_taken_out_of_a_part(
    records: dict[tuple[str, str], DecisionRecord],
) -> None:
    document = json.loads(canonical_bytes(records["binary", ""]))
    for name in ("allowed_losses", "warning_facts", "guarantee"):
        document.pop(name)
    for finding in document["findings"]:
        assert finding["method_kind"] is not None
        for name in (*ADDED, *ADDED_LATER):
            finding.pop(name, None)
    earlier = parse_record(canonical_bytes(document), "r.json").record
    assert not list(differences(earlier))
    whole = records["binary", ""].findings
    part = replace(earlier, findings=(whole[0], *earlier.findings[1:]))
    assert any("method_kind" in one.where for one in differences(part))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("record_approve_all_fail", r"findings\[0\].status is \"fail\", but must be \"pass\""),
        ("record_approve_no_findings", "no slices, so nothing was judged"),
        ("record_rule_index_huge", r"findings\[0\].rule is 9007199254740991, but must be 0"),
    ],
)
def test_the_hostile_records_are_refused(name: str, words: str) -> None:
    with pytest.raises(EvidenceError, match=words):
        read_record(HOSTILE / f"{name}.json")


def test_claims_are_worked_out_again(tmp_path: Path) -> None:
    record = record_of(tmp_path, "binary", "", CLAIMS)
    assert record.claims is not None
    assert not list(differences(kept_form(canonical_bytes(record)).record))
    right = replace(record.claims, checks=record.claims.checks[:-1])
    with pytest.raises(EvidenceError, match=r"claims\.checks"):
        require_follows(replace(record, claims=right), "r.json")


def test_numbers_that_json_spells_otherwise_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1.0, threshold: 1.0}\n"
        "slices: [{by: year, expect: [2026.0, 1.5]}]\n"
        "rules: [{metric: recall, slices: all, at_least: 0.0}]\n",
        encoding="utf-8",
    )
    rows = "".join(f"{i},{i % 2},{i % 2},{i % 2},2026\n" for i in range(40))
    (tmp_path / "t.csv").write_text("id,label,baseline,candidate,year\n" + rows, encoding="utf-8")
    record = gate(read_policy(tmp_path / "p.yaml"), tmp_path / "t.csv").record
    assert not list(differences(kept_form(canonical_bytes(record)).record))


def test_a_record_of_ours_that_would_be_refused_is_our_mistake(
    records: dict[tuple[str, str], DecisionRecord],
) -> None:
    wrong = replace(records["binary", ""], statement="Certain.")
    with pytest.raises(InternalError, match="cannot be verified"):
        kept_form(canonical_bytes(wrong))


WHOLE = st.integers(0, 2**70)
SUM = st.fractions(max_denominator=10**6) | st.builds(
    lambda top, bits: Fraction(top, 2**bits), st.integers(-(2**120), 2**120), st.integers(0, 1074)
)


def clusters(cells: list[Any], draw: Any) -> Clusters:
    products, shared = {}, {}
    for one in cells:
        for other in cells:
            pair = (one, other)
            back = (other, one)
            products[pair] = products.get(back, draw(WHOLE))
            shared[pair] = shared.get(back, draw(st.integers(1, 9)))
    return Clusters(groups=draw(st.integers(1, 9)), products=products, shared=shared)


@st.composite
def tallies(draw: Any, kind: str) -> Tally:
    if kind == "binary":
        cells = draw(st.tuples(*[st.integers(0, 2**53 - 1)] * 8))
        present = [cell for cell in range(8) if cells[cell]]
        return JointCounts(cells=cells, clusters=clusters(present, draw))
    if kind == "multiclass":
        name = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
        triples = st.dictionaries(
            st.tuples(name, name, name), st.integers(1, 2**53 - 1), max_size=4
        )
        counts = draw(triples)
        return LabelCounts(cells=counts, clusters=clusters(list(counts), draw))
    moments = st.builds(
        FeatureSums,
        units=st.integers(0, 9),
        first=st.tuples(*[SUM] * 3),
        rough=st.tuples(*[SUM] * 3),
        second=st.tuples(*[SUM] * 6),
        third=st.tuples(*[SUM] * 10),
    )
    found = st.builds(
        Sums,
        count=st.integers(1, 9),
        quantities=st.fixed_dictionaries({"value": moments, "error": moments}),
        span=st.none() | SUM,
    )
    tally: Tally = draw(found)
    return tally


@pytest.mark.parametrize("kind", ["binary", "multiclass", "score"])
@given(data=st.data())
def test_tallies_come_back_exactly_as_they_were(kind: str, data: Any) -> None:
    tally = data.draw(tallies(kind))
    counts = SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)
    stored = tallies_of([counts, counts])
    read = None if stored is None else parse_tallies(canonical_bytes(stored))
    summary = SliceSummary(
        name="overall", slicing="overall", declared=True, judged=True, rows=tally.rows,
        positives=0, cells=counts.cells,
    )  # fmt: skip
    for again in slices_in(kind, [summary, summary], read):
        assert again == counts
        assert getattr(again.tally, "clusters", None) == getattr(tally, "clusters", None)
        assert getattr(again.tally, "quantities", None) == getattr(tally, "quantities", None)
        assert getattr(again.tally, "span", None) == getattr(tally, "span", None)


def parse_tallies(content: bytes) -> Tallies:
    from pydantic import TypeAdapter

    return TypeAdapter(Tallies).validate_json(content)


SUMMARY = SliceSummary(
    name="overall", slicing="overall", declared=True, judged=True, rows=1, positives=1, cells=(1,)
)


def packed(content: bytes) -> str:
    import base64
    import zlib

    return base64.b64encode(zlib.compress(content)).decode()


def quantity(text: str) -> Tallies:
    from prunegate.audit.tallied import SliceTally

    sums = {"first": (text,) * 3, "rough": (text,) * 3, "second": (text,) * 6}
    whole = TalliedQuantity(name="value", units=1, third=(text,) * 10, **sums)
    return Tallies(slices=(SliceTally(quantities=(whole,)),))


@pytest.mark.parametrize(
    ("kind", "kept", "words"),
    [
        ("binary", None, "eight counts"),
        ("binary", Tallies(groups="!"), "cannot be unpacked"),
        ("binary", Tallies(groups=packed(b"[")), "cannot be unpacked"),
        ("binary", Tallies(groups=packed(b"{}")), "cannot be unpacked"),
        ("binary", Tallies(groups=packed(b"[null,null]")), "2 entries for 1 slices"),
        ("multiclass", None, "0 entries for 1 slices"),
        ("score", quantity("1e999999999"), "is no sum"),
        ("score", quantity("1/0"), "cannot be read"),
        ("score", quantity("nan"), "is no sum"),
    ],
)
def test_sums_that_are_none_are_refused(kind: str, kept: Tallies | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        slices_in(kind, [SUMMARY], kept)
