"""Policies for rows with several labels: what has to agree, and how a rule is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.errors import PolicyError
from prunegate.policy.diff import diff
from prunegate.policy.explain import explain_policy
from prunegate.policy.load import parse_policy
from prunegate.policy.rules_digest import rules_digest
from prunegate.policy.schema import Policy

ROLES = ("label", "baseline", "candidate")
RECALL = "{metric: recall, classes: each, max_drop: 0.02}"
TASK = "{kind: multilabel, labels: [violence, adult, hate], threshold: 0.5}"


def policy(task: str = TASK, rule: str = RECALL, more: str = "") -> Policy:
    return parse_policy(f"prunegate: 1\nname: x\ntask: {task}\n{more}rules: [{rule}]\n")


TASKS = {
    "{kind: multilabel}": "a multilabel task needs 'labels': at least two names",
    "{kind: multilabel, labels: [hate]}": "a multilabel task needs 'labels': at least two names",
    "{kind: multilabel, labels: [hate, hate]}": "'labels' has a name twice; keep one",
    "{kind: multilabel, labels: [hate, micro]}": "'micro' is a word of the policy language",
    "{kind: multilabel, labels: hate}": 'got "hate", expected a list of names such as [violence',
    "{kind: multilabel, labels: [a, b], positive: a}": "'positive' belongs to a binary task only",
    "{kind: multilabel, labels: [a, b], threshold: {a: 0.5}}": "has none for the label 'b'",
    "{kind: multilabel, labels: [a, b], threshold: {a: 0.5, c: 0.4}}": "no label 'c' in 'labels'",
    "{kind: multilabel, labels: [a, b], threshold: {a: 0.5, b: 2}}": "expected at most 1",
    "{kind: multilabel, labels: [a, b], ignore: [unsure]}": "'ignore' is not built for",
    "{kind: binary, positive: 1, labels: [a, b]}": "'labels' belongs to a multilabel task only",
    "{kind: binary, positive: 1, threshold: {a: 0.5}}": "only a multilabel task has one for each",
}


@pytest.mark.parametrize("task", TASKS)
def test_a_task_with_labels_is_refused_with_what_is_wrong(task: str) -> None:
    with pytest.raises(PolicyError) as error:
        policy(task, "{metric: accuracy, max_drop: 0.02}")
    assert TASKS[task] in str(error.value)


RULES = {
    ("{metric: recall, classes: [hat], max_drop: 0.02}", ""): 'unknown label "hat"; did you mean',
    ("{metric: mcc, max_drop: 0.02}", ""): "mcc has no average over labels",
    ("{metric: subset_accuracy, classes: each, max_drop: 0.02}", ""): "is about whole rows",
    ("{metric: mae, max_rise: 0.02}", ""): "mae is not defined for task kind multilabel",
    (RECALL, "group: post\n"): "groups of rows are not built for a multilabel task",
    (RECALL, "slices: [{by: label_hate}]\n"): "is the column of the label of hate",
    (RECALL, "data: {scores: {activation: softmax}}\n"): "softmax does not fit",
    (RECALL, "data: {scores: {classes: [hate, adult]}}\n"): "scores are of other labels",
    (
        "{metric: f1, max_drop: 0.02}",
        "evidence: {strict: true}\n",
    ): "strict is for precision",
}


@pytest.mark.parametrize(("rule", "more"), RULES)
def test_what_does_not_fit_the_labels_is_refused(rule: str, more: str) -> None:
    with pytest.raises(PolicyError) as error:
        policy(rule=rule, more=more)
    assert RULES[rule, more] in str(error.value)


def test_micro_is_no_word_for_several_classes() -> None:
    with pytest.raises(PolicyError, match="limit accuracy"):
        policy("{kind: multiclass}", "{metric: recall, classes: micro, max_drop: 0.02}")


SENTENCES = {
    RECALL: "Overall, recall of every label by itself must be proven",
    "{metric: recall, classes: [hate], max_drop: 0.02}": "Overall, recall of the label hate must",
    "{metric: recall, max_drop: 0.02}": "Overall, recall, averaged over the labels, must be",
    "{metric: f1, classes: micro, max_drop: 0.02}": "F1, over the decisions on all labels",
    "{metric: accuracy, max_drop: 0.02}": "accuracy, over the decisions on all labels together,",
    "{metric: churn, at_most: 0.02}": ", of rows with all of their labels, must be proven at most",
}


@pytest.mark.parametrize("rule", SENTENCES)
def test_a_rule_says_which_figure_it_is_about(rule: str) -> None:
    assert SENTENCES[rule] in explain_policy(policy(rule=rule))[0]


def test_the_order_of_labels_changes_no_bar_and_their_names_do() -> None:
    other = policy(TASK.replace("violence, adult", "adult, violence"))
    assert rules_digest(other) == rules_digest(policy())
    assert {change.kind for change in diff(policy(), other)} == {"neutral"}
    fewer = policy(TASK.replace("violence, adult", "violence"))
    assert rules_digest(fewer) != rules_digest(policy())
    assert "loosened" in {change.kind for change in diff(policy(), fewer)}


def test_each_labels_threshold_is_part_of_the_rules() -> None:
    def digest(**given: float) -> str:
        labels = ", ".join(given)
        said = ", ".join(f"{name}: {value}" for name, value in given.items())
        return rules_digest(
            parse_policy(
                "prunegate: 1\nname: x\n"
                f"task: {{kind: multilabel, labels: [{labels}], threshold: {{{said}}}}}\n"
                "rules: [{metric: subset_accuracy, max_drop: 0.02}]\n"
            )
        )

    assert digest(a=0.5, found=0.4) == digest(found=0.4, a=0.5)
    assert len({digest(a=0.5, found=x) for x in (0.4, 0.5)} | {digest(a=0.4, found=0.4)}) == 3


def test_a_threshold_is_tuned_where_models_are_run() -> None:
    task = TASK.replace("0.5", "{baseline: 0.5, candidate: tuned}")
    with pytest.raises(PolicyError, match="which runs binary models with a threshold"):
        parse_policy(f"prunegate: 1\nname: x\ntask: {task}\nrules: [{RECALL}]\n")


@given(st.fixed_dictionaries({role: st.sampled_from("xyz") for role in ROLES}))
def test_columns_of_labels_are_named_as_their_file_has_them_and_apart_in_one_table(
    names: dict[str, str],
) -> None:
    columns = ", ".join(f"{role}: {name}" for role, name in names.items())
    asked = policy(more=f"data: {{columns: {{{columns}}}}}\n")
    labels = asked.task.labels
    for role, name in names.items():
        own = [asked.label_column(role, label, apart=True) for label in labels]
        assert own == [f"{name}_{label}" for label in labels]
    together = [asked.label_column(role, label) for role in names for label in labels]
    assert len({*together}) == len(together)
