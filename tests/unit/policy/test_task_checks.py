"""What a task, its classes and its kind allow of a policy."""

from __future__ import annotations

import pytest
from tests.unit.policy.checked import Mistakes

MULTICLASS = "kind: multiclass, classes: [cat, dog]"

OF_CLASSES = {
    (MULTICLASS, "{metric: recall, at_least: 0.5, classes: [cat, dgo]}"): (
        "4: rules[0].classes[1]: unknown class \"dgo\"; did you mean 'dog'?"
    ),
    (MULTICLASS, "{metric: recall, at_least: 0.5, classes: [cat, cat]}"): (
        '4: rules[0].classes[1]: "cat" is in the list twice; keep one'
    ),
    (MULTICLASS, "{metric: recall, at_least: 0.5, classes: eachh}"): (
        '4: rules[0].classes: got "eachh", expected one of macro, micro, each or a list of '
        "classes; did you mean 'each'?"
    ),
    (MULTICLASS, "{metric: recall, at_least: 0.5, classes: []}"): (
        "4: rules[0].classes: got [], expected one of macro, micro, each or a list of classes"
    ),
    (MULTICLASS, "{metric: accuracy, at_least: 0.5, classes: each}"): (
        "4: rules[0].classes: accuracy is about all classes together; per class there are "
        "precision, recall, f1"
    ),
    ("kind: binary, positive: 1", "{metric: recall, at_least: 0.5, classes: each}"): (
        "4: rules[0].classes: only a multiclass task has classes; this one is binary"
    ),
    ("kind: binary, positive: 1", "{metric: recall, at_least: 0.5, classes: [1]}"): (
        "4: rules[0].classes: only a multiclass task has classes; this one is binary"
    ),
}


@pytest.mark.parametrize(("case", "mistake"), OF_CLASSES.items())
def test_what_a_rule_gets_wrong_about_classes(
    case: tuple[str, str], mistake: str, rule_mistakes: Mistakes
) -> None:
    task, rule = case
    assert rule_mistakes(rule, task=task) == [mistake]


TASKS = {
    "kind: multiclass, classes: [a]": "task: 'classes' needs at least two labels",
    "kind: multiclass, classes: [a, b, a]": ('task.classes[2]: "a" is in the list twice; keep one'),
    "kind: multiclass, classes: [1, '1']": 'task.classes[1]: "1" is in the list twice; keep one',
    "kind: multiclass, classes: a": (
        'task.classes: got "a", expected a list of labels such as [cat, dog, bird]'
    ),
    "kind: binary, positive: a, classes: [a, b]": (
        "task: 'classes' belongs to a multiclass task only"
    ),
    "kind: multiclass, range: [0, 1]": "task: 'range' belongs to a score task only",
    "kind: multiclass, positive: a": ("task: 'positive' belongs to a binary task only"),
    "kind: score, range: [4, 1]": "task: 'range' is [smallest, largest] score, the smallest first",
    **{
        f"kind: score, range: {got}": (
            f"task.range: got {got}, expected the smallest and the largest score, such as [0, 5]"
        )
        for got in ("[1]", "5", "[0, 1, 2]", "[]")
    },
    "kind: score, range: [0, .inf]": "task.range[1]: got .inf; a number here must be finite",
}


@pytest.mark.parametrize(("task", "mistake"), TASKS.items())
def test_what_a_task_gets_wrong(task: str, mistake: str, rule_mistakes: Mistakes) -> None:
    assert rule_mistakes("{metric: model_bytes, max_ratio: 0.5}", task=task) == [f"3: {mistake}"]


STRICT = "strict is for precision and F1 of two classes, or of each class by itself"

KINDS = {
    "score": "{metric: mae, at_most: 0.5}",
    "language": "{metric: perplexity, at_most: 9}",
}


@pytest.mark.parametrize(("kind", "rule"), KINDS.items())
def test_tasks_of_numbers_have_no_positives_and_no_strict_mode(
    kind: str, rule: str, rule_mistakes: Mistakes
) -> None:
    for evidence, mistake in (
        ("minimum: {positives: 5}", f"minimum.positives: a {kind} task has no positives; limit"),
        ("strict: true", f"strict: {STRICT}"),
    ):
        (line,) = rule_mistakes(rule, f"evidence: {{{evidence}}}\n", task=f"kind: {kind}")
        assert line.startswith(f"5: evidence.{mistake}")
    assert not rule_mistakes(rule, "evidence: {minimum: {rows: 5}}\n", task=f"kind: {kind}")


def test_strict_mode_knows_no_macro_average(rule_mistakes: Mistakes) -> None:
    strict = "evidence: {strict: true}\n"
    for metric in ("precision", "f1"):
        rule = f"{{metric: {metric}, max_drop: 0.1"
        assert rule_mistakes(f"{rule}}}", strict, MULTICLASS) == [f"5: evidence.strict: {STRICT}"]
        assert not rule_mistakes(f"{rule}, classes: each}}", strict, MULTICLASS)
        assert not rule_mistakes(f"{rule}}}", strict)
    assert not rule_mistakes("{metric: recall, max_drop: 0.1}", strict, MULTICLASS)


@pytest.mark.parametrize(
    ("rest", "path"),
    [
        ("group: prunegate__x", "group"),
        ("slices: [{by: prunegate__x}]", "slices[0].by"),
        ("slices: [{name: y, where: {prunegate__x: 1}}]", "slices[0].where.prunegate__x"),
        ("data: {columns: {label: prunegate__x}}", "data.columns.label"),
    ],
)
def test_names_that_counting_needs_are_taken(rest: str, path: str, rule_mistakes: Mistakes) -> None:
    words = f'5: {path}: "prunegate__x": names that begin with prunegate__ are taken; rename it'
    assert rule_mistakes("{metric: recall, at_least: 0.5}", rest) == [words]


@pytest.mark.parametrize(
    ("scale", "level", "words"),
    [
        ("", 7, ""),
        (", range: [1, 5]", 0.5, "got 0.5, but scores lie between 1 and 5 ('task: range')"),
        (", range: [1, 5]", 4.5, ""),
    ],
)
def test_a_score_is_held_to_a_level_that_scores_can_have(
    rule_mistakes: Mistakes, scale: str, level: float, words: str
) -> None:
    rule = f"{{metric: mean_score, at_least: {level}}}"
    found = rule_mistakes(rule, task=f"kind: score{scale}")
    assert [line.partition("at_least: ")[2] for line in found] == ([words] if words else [])
