"""Whether a policy says what the metrics need that are computed from scores, not from decisions.

And which rows of a score task need a number as their label.
"""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.errors import UnsupportedError
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.forms import Mean, ScoreLoss
from prunegate.policy.model_source import ModelSource
from prunegate.policy.schema import Policy, Rule
from prunegate.policy.section import MODELS
from prunegate.policy.steps import Split
from prunegate.policy.validation import Path


def score_disagreements(policy: Policy) -> Iterator[tuple[Path, str]]:
    """(path, message) for every rule whose scores the policy does not have."""
    for index, rule in enumerate(policy.rules):
        metric = METRICS.get(rule.metric)
        at: Path = ("rules", index)
        if metric is not None and _root(policy, rule) and policy.task.range is None:
            message = f"{rule.metric} needs 'task: range: [smallest, largest]': nothing else bounds"
            yield (*at, "metric"), f"{message} a squared error, and a rare large one decides it"
        if metric is None or not metric.from_scores(policy.task.kind):
            continue
        if metric.at and policy.group is not None:
            message = f"{rule.metric} takes rows as independent, and 'group' says that they are not"
            yield (*at, "metric"), f"{message}; limit auc or average_precision, or remove the group"
        if policy.task.traits.yes_no:
            yield from _of_two(policy, rule, at)
        elif not policy.task.traits.decided:
            continue  # a row's number is its score
        elif policy.data.scores is None:
            message = f"{rule.metric} takes a score for each class; say under 'data: scores:' where"
            message += " they are: {prefix: p_}, or {} where the models' columns hold lists"
            yield (*at, "metric"), message
        else:
            yield from _of_several(policy, rule, at)


def _root(policy: Policy, rule: Rule) -> bool:
    form = METRICS[rule.metric].forms.get(policy.task.kind)
    return isinstance(form, Mean) and form.root


def _of_two(policy: Policy, rule: Rule, at: Path) -> Iterator[tuple[Path, str]]:
    if policy.task.threshold is None:
        message = f"{rule.metric} takes scores, and without 'task: threshold' the models' columns "
        message += "hold decisions; set 'task: threshold' such as 0.5, and give scores"
        yield (*at, "metric"), message


def _of_several(policy: Policy, rule: Rule, at: Path) -> Iterator[tuple[Path, str]]:
    scores = policy.data.scores
    assert scores is not None  # noqa: S101  # the caller has looked
    loss = isinstance(METRICS[rule.metric].forms[policy.task.kind], ScoreLoss)
    if loss and scores.activation == "sigmoid":
        message = f"{rule.metric} needs probabilities that add up to 1, which sigmoids do not; use "
        message += "'data: scores: activation: softmax', or another metric"
        yield (*at, "metric"), message
    classes = scores.classes or policy.task.classes
    if rule.k is not None and classes and rule.k >= len(classes):
        message = f"got {rule.k} of {len(classes)} classes, among which the true one always is"
        yield (*at, "k"), f"{message}; use fewer"


def estimate_disagreements(policy: Policy) -> Iterator[tuple[Path, str]]:
    """(path, message) for what is said of classes where models answer with a number."""
    if not policy.task.traits.estimated:
        return
    for role in MODELS:
        said = getattr(policy.model, role, None)
        for key in ("classes", "activation"):
            if isinstance(said, ModelSource) and key in said.model_fields_set:
                message = "a score task's models answer with a number as it stands; remove it"
                yield ("model", role, key), message
    for index, step in enumerate(policy.compress):
        if step.finetune is not None and "temperature" in step.finetune.model_fields_set:
            message = "softens shares of classes, and a score is a number; remove it"
            yield ("compress", index, "finetune", "temperature"), message


def takes_labels(policy: Policy) -> bool:
    """Whether a rule says how far the models agree with labels."""
    known = [METRICS[rule.metric] for rule in policy.rules if rule.metric in METRICS]
    forms = [metric.forms.get(policy.task.kind) for metric in known]
    return any(form is not None and form.against_labels for form in forms)


def target_splits(policy: Policy) -> frozenset[Split]:
    """The splits of a score task whose rows need a number: learnt from, ranked or judged by it."""
    learnt = {
        step.rows.split
        for step in policy.compress
        if step.rows is not None and step.quantize is None
    }
    judged: set[Split] = {"gate"} if takes_labels(policy) else set()
    if judged and policy.search is not None:
        judged.add("search")
    return frozenset(learnt | judged)


def score_metrics(policy: Policy) -> tuple[str, ...]:
    """The metrics of a policy's rules that are computed from scores, each once."""
    kind = policy.task.kind
    names = dict.fromkeys(rule.metric for rule in policy.rules if rule.metric in METRICS)
    return tuple(name for name in names if METRICS[name].from_scores(kind))


def orders_asked(policy: Policy) -> bool:
    """Whether the check of the reference asks how scores, which are no decisions, order rows."""
    if policy.evidence.reference == "off" or policy.task.traits.decided:
        return False
    return takes_labels(policy)


def require_decisions_do(policy: Policy, because: str) -> None:
    """Refuse rules on metrics that decisions do not do for, by name.

    Args:
        policy: the policy.
        because: where there are decisions only, and what to do: completes the sentence.

    Raises:
        UnsupportedError: there are such rules.
    """
    if names := score_metrics(policy):
        raise UnsupportedError(
            f"{', '.join(names)}: computed from the models' scores of every row, and {because}"
        )
