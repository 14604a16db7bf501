"""Loading a policy: every mistake at once, in the user's words, and nothing else is raised."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from prunegate.errors import PolicyError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

Mistakes = Callable[[str], list[str]]


def refusal(text: str) -> tuple[str, ...] | None:
    """Every mistake of a text; None where it is a policy. Any other exception comes through."""
    try:
        parse_policy(text)
    except PolicyError as error:
        return error.mistakes
    return None


EIGHT = """\
prunegate: 1
name: brand safety
task: {kind: binry, positive: unsafe, threshold: 1:30}
slices:
  - by: content_type
    expct: [display]
rules:
  - metric: recal
    max_dorp: 0.02
  - metric: recall
    slices: contnt_type
    max_drop: "2%"
  - {metric: churn, at_most: .nan}
"""


def test_all_mistakes_of_a_file_come_at_once(mistakes: Mistakes) -> None:
    assert mistakes(EIGHT) == [
        (
            "2: name: got \"brand safety\", expected a name of letters, digits, '.', '_' and '-' "
            "(at most 80, not starting with a sign)"
        ),
        (
            '3: task.kind: got "binry", expected one of binary, multiclass, multilabel, score, '
            "language; did you mean 'binary'?"
        ),
        '3: task.threshold: got "1:30", expected a number from 0 to 1; YAML 1.2 reads 1:30 as text',
        "6: slices[0].expct: unknown key 'expct'; did you mean 'expect'?",
        "8: rules[0].metric: unknown metric \"recal\"; did you mean 'recall'?",
        "9: rules[0].max_dorp: unknown key 'max_dorp'; did you mean 'max_drop'?",
        "11: rules[1].slices: unknown slice \"contnt_type\"; did you mean 'content_type'?",
        '12: rules[1].max_drop: got "2%", expected a number such as 0.02 (or {relative: 0.03})',
        "13: rules[2].at_most: got .nan; a number here must be finite",
    ]


HEAD = "prunegate: 1\nname: x\n"

TASK = "task: {kind: binary, positive: unsafe}\n"

RULE = "rules: [{metric: recall, at_least: 0.5}]\n"

ONE_MISTAKE = {
    "no keys but one": (
        "prunegate: 1\n",
        [
            (
                "1: name: missing; expected a name of letters, digits, '.', '_' and '-' (at most "
                "80, not starting with a sign)"
            ),
            (
                "1: rules: missing; expected a list of at least one rule such as {metric: recall, "
                "at_least: 0.85}"
            ),
            "1: task: missing; expected a mapping such as {kind: binary, positive: unsafe}",
        ],
    ),
    "unknown section, nothing near": (
        HEAD + TASK + RULE + "zebra: 1\n",
        [
            (
                "5: zebra: unknown key 'zebra'; valid: prunegate, name, title, purpose, owner, "
                "task, slices, labels, words, report, group, weight, evidence, rules, model, "
                "data, ..."
            )
        ],
    ),
    "a term of no days": (
        HEAD + TASK + RULE + "revalidate: {after_days: 0}\n",
        [
            (
                "5: revalidate.after_days: got 0, expected a whole number of days from 1 to 3650 "
                "such as 180"
            )
        ],
    ),
    "a term that is no mapping": (
        HEAD + TASK + RULE + "revalidate: 180\n",
        ["5: revalidate: got 180, expected a mapping such as {after_days: 180}"],
    ),
    "a misspelt required key is one mistake": (
        "prunegate: 1\nnaem: x\n" + TASK + RULE,
        ["2: naem: unknown key 'naem'; did you mean 'name'?"],
    ),
    "version": (
        "prunegate: 2\nname: x\n" + TASK + RULE,
        ["1: prunegate: got 2, expected 1, the version of the policy language"],
    ),
    "version true": (
        "prunegate: true\nname: x\n" + TASK + RULE,
        ["1: prunegate: expected 1, the version of the policy language"],
    ),
    "no rules": (
        HEAD + TASK + "rules: []\n",
        [
            (
                "4: rules: got [], expected a list of at least one rule such as {metric: recall, "
                "at_least: 0.85}"
            )
        ],
    ),
    "rules as a mapping": (
        HEAD + TASK + "rules: {metric: recall}\n",
        [
            (
                '4: rules: got {"metric": "recall"}, expected a list of at least one rule such as '
                "{metric: recall, at_least: 0.85}"
            )
        ],
    ),
    "no positive label": (
        HEAD + "task: {kind: binary}\n" + RULE,
        ["3: task: a binary task needs 'positive': the label that counts as positive"],
    ),
    "a list as the positive label": (
        HEAD + "task: {kind: binary, positive: [a]}\n" + RULE,
        ['3: task.positive: got ["a"], expected the positive label: text, a number, true or false'],
    ),
    "both forms of a margin": (
        HEAD + TASK + "rules: [{metric: recall, max_drop: {relative: 0.1, error_ratio: 1}}]\n",
        [
            (
                '4: rules[0].max_drop: got {"relative": 0.1, "error_ratio": 1}, expected '
                "{relative: 0.03} or {error_ratio: 0.5}, one of them"
            )
        ],
    ),
    "a relative margin out of range": (
        HEAD + TASK + "rules: [{metric: recall, max_drop: {relative: 3}}]\n",
        ["4: rules[0].max_drop.relative: got 3, expected a number from 0 to below 1"],
    ),
    "true as a margin": (
        HEAD + TASK + "rules: [{metric: recall, max_drop: true}]\n",
        [
            "4: rules[0].max_drop: got true, expected a number such as 0.02 (or {relative: 0.03})",
        ],
    ),
    "a number in quotes": (
        HEAD + TASK + "rules: [{metric: recall, at_least: '0.5'}]\n",
        ['4: rules[0].at_least: got "0.5", expected a number such as 0.85; remove the quotes'],
    ),
    "a limit without a value": (
        HEAD + TASK + "rules:\n- metric: recall\n  at_least:\n  max_drop: 0.1\n",
        ["6: rules[0].at_least: no value; write one or remove the key"],
    ),
    "yes for a boolean": (
        HEAD + TASK + RULE + "compress: [{finetune: {epochs: 1, flips: yes}}]\n",
        [
            (
                '5: compress[0].finetune.flips: got "yes", expected true or false; YAML 1.2 '
                "reads yes as "
                "text: write true or false"
            )
        ],
    ),
    "a deep wrong value": (
        HEAD + TASK + RULE + "slices: [{by: [a, 5]}, {by: b, expect: [[x, [y]]]}]\n",
        [
            "5: slices[0].by[1]: got 5, expected text",
            '5: slices[1].expect[0][1]: got ["y"], expected text, a number, true or false',
        ],
    ),
    "no slices to look at": (
        HEAD + TASK + "rules: [{metric: recall, at_least: 0.5, slices: []}]\n",
        [
            (
                "4: rules[0].slices: got [], expected overall, all, a slicing key, a slice's "
                "name, or a list of these"
            )
        ],
    ),
    "the gate split": (
        HEAD + TASK + RULE + "compress: [{finetune: {epochs: 1, data: {split: gate}}}]\n",
        [
            (
                "5: compress[0].finetune.data.split: the gate split is for judging only; use "
                "train or calibration"
            )
        ],
    ),
    "an amount in per cent": (
        HEAD + TASK + RULE + "compress: [{prune: {what: heads, amount: 40}}]\n",
        [
            (
                "5: compress[0].prune.amount: got 40, expected a share such as 0.4, or "
                "{share_below: 0.02} or {keep: 64}"
            )
        ],
    ),
    "a share in quotes": (
        HEAD + TASK + 'rules: [{metric: recall_at_fpr, at: "0.1", at_least: 0.5}]\n',
        [
            (
                '4: rules[0].at: got "0.1", expected a share above 0 and below 1 such as 0.9; '
                "remove the quotes"
            )
        ],
    ),
    "a currency in words": (
        HEAD + TASK + RULE + "cost: {currency: dollars, billing: {per_inference: {baseline: 1}}}\n",
        ['5: cost.currency: got "dollars", expected three capital letters such as USD'],
    ),
    "a hostile value": (
        HEAD + TASK + 'rules: [{metric: "re\\u202ecall\\n", at_least: 0.5}]\n',
        ["4: rules[0].metric: unknown metric \"re\\u202ecall\\n\"; did you mean 'recall'?"],
    ),
}


@pytest.mark.parametrize(("text", "lines"), ONE_MISTAKE.values(), ids=ONE_MISTAKE)
def test_each_mistake_is_one_line_in_the_users_words(
    text: str, lines: list[str], mistakes: Mistakes
) -> None:
    assert mistakes(text) == lines


def test_the_example_of_the_design_loads(example: str) -> None:
    policy = parse_policy(example)
    assert policy.name == "brand-safety-vit"
    assert policy.rules[0].limits == {"at_least": 0.85, "max_drop": 0.02}
    assert policy.evidence.alpha == 0.05


def test_mistakes_of_the_text_and_of_the_parts_come_together(mistakes: Mistakes) -> None:
    text = HEAD + TASK + "group: &g frame\nrules: [{metric: recall, max_rise: 0.1}]\n"
    assert [line.split(":")[0] for line in mistakes(text)] == ["4", "5"]


def test_a_broken_section_is_not_blamed_twice(mistakes: Mistakes) -> None:
    rules = (
        "rules: [{metric: cost_per_1k, max_ratio: 0.5}, {metric: recall, slices: a, at_least: 1}]"
    )
    text = HEAD + TASK + rules + "\ncost: {billing: 3}\nslices: [{by: 3}]\n"
    assert [line.split(" ")[1] for line in mistakes(text)] == ["cost.billing:", "slices[0].by:"]


def test_a_broken_task_does_not_hide_what_rules_get_wrong(mistakes: Mistakes) -> None:
    text = HEAD + "task: {knid: binary}\nrules: [{metric: recall, max_drop: 3}]\n"
    assert [line.split(" ")[1] for line in mistakes(text)] == ["task.knid:", "rules[0].max_drop:"]


@pytest.mark.parametrize(
    ("section", "broken", "place"),
    [
        ("prunegate", "prunegate: 7", "prunegate:"),
        ("name", "name: [x]", "name:"),
        ("task", "task: {kind: binary}", "task:"),
        ("slices", "slices: [{by: k}, {by: 3}]", "slices[1].by:"),
    ],
)
def test_whatever_section_is_broken_what_rules_get_wrong_is_told(
    section: str, broken: str, place: str, mistakes: Mistakes
) -> None:
    kept = [line for line in (HEAD + TASK).splitlines() if not line.startswith(section)]
    text = "\n".join([*kept, broken, "rules: [{metric: recall, max_drop: 3}]\n"])
    found = [line.split(" ")[1] for line in mistakes(text)]
    assert sorted(found) == sorted([place, "rules[0].max_drop:"])


SLOTS = st.sampled_from(EIGHT.splitlines() + RULE.splitlines() + (HEAD + TASK).splitlines())


@given(st.lists(SLOTS | st.text(max_size=20), max_size=12))
def test_no_text_raises_anything_but_a_policy_error(lines: list[str]) -> None:
    found = refusal("\n".join(lines))
    assert found != ()
    assert all(line.startswith("policy.yaml:") and "\n" not in line for line in found or ())


@pytest.mark.slow
@given(st.data())
def test_a_damaged_policy_raises_nothing_but_a_policy_error(data: st.DataObject) -> None:
    text = EIGHT
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 9))
        text = text[:at] + data.draw(st.text("{}[]:,-&*! \n'\"ax1.", max_size=4)) + text[at + cut :]
    assert refusal(text) != ()


JUNK = st.recursive(
    st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["by", "metric", "max_drop", "relative", "x"]), inner, max_size=2
        )
    ),
    max_leaves=6,
)

SECTIONS = st.sampled_from(sorted(Policy.model_fields))


@pytest.mark.slow
@given(st.dictionaries(SECTIONS, JUNK, max_size=5))
def test_any_shape_of_data_gives_one_mistake_per_place(sections: dict[str, Any]) -> None:
    document = {"prunegate": 1, "name": "x", "task": {"kind": "score"}, **sections}
    found = refusal(_yaml(document)) or ()
    places = [re.sub(r"^[^ ]* ([^ ]*):.*", r"\1", line) for line in found]
    assert len(set(places)) == len(places)
    assert not any("pydantic" in line or "input should" in line.lower() for line in found)


def _yaml(value: object) -> str:
    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(value, stream)
    return stream.getvalue()


NAMES = st.text("abcxyz-é ", min_size=1, max_size=6)

LEAST = 1e-8
"""The smallest change but none at all."""
MARGINS = (
    st.just(0.0)
    | st.floats(LEAST, 0.5)
    | st.builds(lambda r: {"relative": r}, st.floats(LEAST, 0.9))
)

RULES = st.fixed_dictionaries(
    {"metric": st.sampled_from(["recall", "precision", "accuracy", "f1"]), "max_drop": MARGINS},
    optional={
        "at_least": st.floats(0, 1),
        "slices": st.sampled_from(["overall", "all", ["overall", "holiday"]]),
        "evidence": st.sampled_from(["proven", "point"]),
        "on_undefined": st.sampled_from(["fail", "inconclusive"]),
    },
)

SCALARS = st.booleans() | st.integers(-9, 9) | st.sampled_from(["no", "010", "1:30", "é", "~", ""])

POLICIES = st.fixed_dictionaries(
    {
        "prunegate": st.just(1),
        "name": st.sampled_from(["a", "no", "v1.0", "0"]),
        "task": st.fixed_dictionaries({"kind": st.just("binary"), "positive": SCALARS}),
        "slices": st.builds(
            lambda value: [{"name": "holiday", "where": {"season": value}}], SCALARS
        ),
        "rules": st.lists(RULES, min_size=1, max_size=3, unique_by=lambda rule: rule["metric"]),
    },
    optional={"purpose": NAMES, "owner": NAMES, "group": NAMES.map("g{}".format)},
)


@pytest.mark.slow
@given(POLICIES)
def test_a_policy_survives_being_written_and_read(document: dict[str, Any]) -> None:
    policy = Policy.model_validate(document)
    again = parse_policy(_yaml(policy.model_dump(mode="json", exclude_none=True)))
    assert again.model_dump() == policy.model_dump()
    assert parse_policy(_yaml(policy.document())).model_dump() == policy.model_dump()
