"""What must agree between the parts of a policy that no single field can see.

``disagreements(policy)`` lists (path, message) for every rule, slice and section that contradicts
another. Rules are looked at one by one in ``rule_consistency.py``; here is what concerns several
parts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prunegate.metrics.catalogue import METRICS, of_writing, per_class, priced
from prunegate.metrics.forms import Overlapping
from prunegate.policy.interval_consistency import interval_disagreements
from prunegate.policy.label_consistency import labels_disagreements
from prunegate.policy.messages import literal, suggest
from prunegate.policy.naming import RESERVED_PREFIX, SEPARATORS, parse_slice_name, value_text
from prunegate.policy.people_consistency import people_disagreements
from prunegate.policy.production import PRODUCTION, production_disagreements
from prunegate.policy.quality import MEAN_QUALITY, quality_disagreements
from prunegate.policy.recipe_consistency import (
    one_source_of_the_candidate,
    ranking_data_are_used,
    search_is_no_laxer,
    search_varies_prunings,
    steps_follow,
)
from prunegate.policy.rule_consistency import rule_disagreements
from prunegate.policy.schema import Policy, SliceSpec
from prunegate.policy.score_consistency import estimate_disagreements, score_disagreements
from prunegate.policy.validation import Path
from prunegate.policy.weight_consistency import weight_disagreements
from prunegate.text.escape import escaped
from prunegate.text.numbers import as_written

Disagreement = tuple[Path, str]
RESERVED = ("overall", "all")


def disagreements(policy: Policy, broken: Iterable[str] = ()) -> list[Disagreement]:
    """Every place where the policy's parts contradict each other.

    ``broken`` names top-level sections that have mistakes of their own: what leans on them is not
    checked, because it would only repeat those mistakes.
    """
    unknown = frozenset(broken)
    found: list[Disagreement] = []
    for check, leans_on in _CHECKS:
        if unknown.isdisjoint(leans_on):
            found += check(policy)
    return found


def _rules_one_by_one(policy: Policy) -> Iterator[Disagreement]:
    for index, rule in enumerate(policy.rules):
        for field, message in rule_disagreements(rule):
            yield ("rules", index, *field), message


def _metrics_fit_the_task(policy: Policy) -> Iterator[Disagreement]:
    kind = policy.task.kind
    for index, rule in enumerate(policy.rules):
        metric = METRICS.get(rule.metric)
        if metric is not None and metric.tasks and kind not in metric.tasks:
            fitting = ", ".join(m.name for m in METRICS.values() if kind in m.tasks)
            message = f"{rule.metric} is not defined for task kind {kind}; valid: {fitting}"
            yield ("rules", index, "metric"), message


def _only_language_models_write(policy: Policy) -> Iterator[Disagreement]:
    """Of other tasks ``run`` times no writing; what was measured elsewhere, ``gate`` may limit."""
    if policy.task.traits.documents:
        return
    why = f"a {policy.task.kind} task's models write no text"
    runs = policy.model is not None and not policy.task.traits.estimated
    for index, rule in enumerate(policy.rules):
        if runs and rule.metric in of_writing():
            message = f"{rule.metric} times models as they write, and {why}; limit latency_p50_ms"
            yield ("rules", index, "metric"), message
    if policy.generate is not None:
        yield ("generate",), f"says how much is written, and {why}; remove it"


def _quality_is_judged(policy: Policy) -> Iterator[Disagreement]:
    metrics = tuple(rule.metric for rule in policy.rules)
    yield from quality_disagreements(policy.task.traits, policy.quality, metrics)


def _classes_fit_the_task(policy: Policy) -> Iterator[Disagreement]:
    if policy.task.traits.sets:
        yield from labels_disagreements(policy)
        return
    known = [value_text(value) for value in policy.task.classes]
    for index, rule in enumerate(policy.rules):
        at: Path = ("rules", index, "classes")
        if rule.classes == "macro":
            continue
        if not policy.task.traits.classes:
            yield at, f"only a multiclass task has classes; this one is {policy.task.kind}"
        elif rule.classes == "micro":
            yield at, "micro averages of several classes are all the accuracy; limit accuracy"
        elif rule.metric in METRICS and rule.metric not in per_class():
            message = f"{rule.metric} is about all classes together; per class there are "
            yield at, message + ", ".join(per_class())
        elif isinstance(rule.classes, tuple) and known:
            for place, value in enumerate(rule.classes):
                if value_text(value) not in known:
                    hint = suggest(value_text(value), known)
                    yield (*at, place), f"unknown class {literal(value)}; {hint}"


def _classes_are_distinct(policy: Policy) -> Iterator[Disagreement]:
    lists: list[tuple[Path, tuple[Any, ...]]] = [(("task", "classes"), policy.task.classes)]
    lists += [
        (("rules", index, "classes"), rule.classes)
        for index, rule in enumerate(policy.rules)
        if isinstance(rule.classes, tuple)
    ]
    for at, values in lists:
        seen: set[str] = set()
        for place, value in enumerate(values):
            if value_text(value) in seen:
                yield (*at, place), f"{literal(value)} is in the list twice; keep one"
            seen.add(value_text(value))


def _evidence_fits_the_task(policy: Policy) -> Iterator[Disagreement]:
    task = policy.task.traits
    if policy.evidence.minimum.positives > 1 and not task.decided:
        message = f"a {task.name} task has no positives; limit the rows"
        yield ("evidence", "minimum", "positives"), message
    macro = any(r.classes == "macro" and _has_strict_test(r.metric) for r in policy.rules)
    if policy.evidence.strict and (not task.decided or (not task.yes_no and macro)):
        message = "strict is for precision and F1 of two classes, or of each class by itself"
        yield ("evidence", "strict"), message


def _has_strict_test(name: str) -> bool:
    """Whether the metric has two tests where there are two classes, one of them never liberal."""
    return name in METRICS and isinstance(METRICS[name].of_yes_no, Overlapping)


def _levels_can_be_reached(policy: Policy) -> Iterator[Disagreement]:
    ranges: dict[str, tuple[tuple[float, float], str]] = {}
    if policy.task.range is not None:
        ranges["mean_score"] = (policy.task.range, "task: range")
    if policy.quality is not None:
        ranges[MEAN_QUALITY] = (policy.quality.bounds, "quality: range")
    for index, rule in enumerate(policy.rules):
        for check, value in rule.levels.items():
            (low, high), key = ranges.get(rule.metric, ((value, value), ""))
            if not low <= value <= high:
                got, least, most = map(as_written, (value, low, high))
                message = f"got {got}, but scores lie between {least} and {most}"
                yield ("rules", index, check), f"{message} ('{key}')"


def _some_rule_blocks(policy: Policy) -> Iterator[Disagreement]:
    if all(rule.severity == "warn" for rule in policy.rules):
        message = "every rule only warns, so nothing could be approved or rejected; "
        yield ("rules",), message + "let at least one rule have severity: block"


def _no_rule_repeats_another(policy: Policy) -> Iterator[Disagreement]:
    seen: dict[object, int] = {}
    for index, rule in enumerate(policy.rules):
        for check in rule.limits:
            about = (rule.metric, frozenset(rule.selects), rule.classes, check, rule.k, rule.at)
            key = (*about, rule.severity, rule.evidence)
            first = seen.setdefault(key, index)
            if first != index:
                message = (
                    f"rules[{first}] limits {check} of {escaped(rule.metric)} on the same slices"
                )
                yield ("rules", index, check), f"{message} already; keep one of the two"


def _selectors_name_slices(policy: Policy) -> Iterator[Disagreement]:
    labels = [spec.label for spec in policy.slices]
    for index, rule in enumerate(policy.rules):
        for place, selector in enumerate(rule.selects):
            at: Path = ("rules", index, "slices")
            at = at if isinstance(rule.slices, str) else (*at, place)
            if selector in rule.selects[:place]:
                yield at, f"{literal(selector)} is in the list twice; keep one"
            elif selector not in (*RESERVED, *labels, PRODUCTION):
                problem = _unknown_selector(selector, policy.slices)
                if problem:
                    yield at, problem


def _production_is_declared(policy: Policy) -> Iterator[Disagreement]:
    if policy.data.production is not None or PRODUCTION in [s.label for s in policy.slices]:
        return
    for index, rule in enumerate(policy.rules):
        for place, selector in enumerate(rule.selects):
            if selector == PRODUCTION:
                at: Path = ("rules", index, "slices")
                message = "names the mix that 'data: production:' declares, which is missing"
                yield at if isinstance(rule.slices, str) else (*at, place), message


def _unknown_selector(selector: str, specs: tuple[SliceSpec, ...]) -> str | None:
    """Why a selector that is no label is not the name of one slice either; None where it is."""
    pairs = parse_slice_name(selector)
    spec = next((s for s in specs if pairs and s.keys == tuple(pairs)), None)
    if pairs is None or spec is None:
        valid = (*RESERVED, *(spec.label for spec in specs))
        return f"unknown slice {literal(selector)}; {suggest(selector, valid)}"
    expected = [expected_texts(value) for value in spec.expect]
    if expected and tuple(pairs.values()) not in expected:
        names = [",".join(parts) for parts in expected]
        near = suggest(",".join(pairs.values()), names)
        return f"no such value among 'expect' of {escaped(spec.label)}; {near}"
    return None


def expected_texts(value: Any) -> tuple[str, ...]:
    """The texts of one expected value: one per slicing key."""
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(value_text(part) for part in parts)


def _slice_names_are_distinct(policy: Policy) -> Iterator[Disagreement]:
    seen: dict[str, int] = {}
    for index, spec in enumerate(policy.slices):
        field = "by" if spec.keys else "name"
        if spec.label in RESERVED:
            message = f"{literal(spec.label)} is a word of the policy language; rename it"
            yield ("slices", index, field), message
        first = seen.setdefault(spec.label, index)
        if first != index:
            message = (
                f"slices[{first}] is called {literal(spec.label)} already; remove or rename one"
            )
            yield ("slices", index, field), message


def _keys_can_be_written(policy: Policy) -> Iterator[Disagreement]:
    for index, spec in enumerate(policy.slices):
        for key in (*spec.keys, *(spec.where or {})):
            if SEPARATORS & set(key):
                field = "by" if spec.keys else "where"
                message = f"the column {literal(key)} has one of , = \\ in its name, which separate"
                yield ("slices", index, field), f"{message} slice names; rename the column"


def _expected_values_are_distinct(policy: Policy) -> Iterator[Disagreement]:
    for index, spec in enumerate(policy.slices):
        seen: dict[tuple[str, ...], int] = {}
        for place, value in enumerate(spec.expect):
            first = seen.setdefault(expected_texts(value), place)
            if first != place:
                message = f"{literal(value)} names the same slice as expect[{first}]; keep one"
                yield ("slices", index, "expect", place), message


def _names_do_not_collide(policy: Policy) -> Iterator[Disagreement]:
    """Two columns that look alike but differ in Unicode normalisation are one trap."""
    seen: dict[str, str] = {}
    for path, key in _columns(policy):
        first = seen.setdefault(unicodedata.normalize("NFC", key), key)
        if first != key:
            message = f"{literal(key)} is another column than one named before that looks the same"
            yield path, f"{message} (Unicode NFC and NFD); write both in the same form"


def _columns(policy: Policy) -> Iterator[tuple[Path, str]]:
    for index, spec in enumerate(policy.slices):
        for key in spec.keys:
            yield ("slices", index, "by"), key
        for key in spec.where or {}:
            yield ("slices", index, "where", key), key
    if policy.group is not None:
        yield ("group",), policy.group
    if policy.weight is not None:
        yield ("weight",), policy.weight


def _columns_are_not_ours(policy: Policy) -> Iterator[Disagreement]:
    """Counting puts columns of its own beside the table's."""
    mapped: list[tuple[Path, str]] = [
        (("data", "columns", role), column) for role, column in policy.data.columns
    ]
    for path, key in (*_columns(policy), *mapped):
        if key.startswith(RESERVED_PREFIX):
            yield (
                path,
                f"{literal(key)}: names that begin with {RESERVED_PREFIX} are taken; rename it",
            )


def _columns_have_one_role(policy: Policy) -> Iterator[Disagreement]:
    columns = policy.columns  # two models may share a name, each in a file of its own
    roles = {role: getattr(columns, role) for role in policy.task.traits.roles}
    taken: dict[str, str] = {}
    for role, column in roles.items():
        first = taken.setdefault(column, role)
        if first != role:
            message = f"{literal(column)} is the column of {first!r} already; each needs its own"
            yield ("data", "columns", role), message
    for path, key in _columns(policy):
        if key in taken and (path != ("group",) or taken[key] != "id"):
            yield path, f"{literal(key)} is the {taken[key]} column; name another one"


def _scores_fit_the_task(policy: Policy) -> Iterator[Disagreement]:
    scores, task = policy.data.scores, policy.task
    if scores is None or task.traits.sets:  # of sets see label_consistency.py
        return
    if not task.traits.decided:
        yield ("data", "scores"), f"a {task.kind} task has no classes to score; remove it"
    elif task.traits.yes_no and task.threshold is None:
        message = "scores of a binary task are compared with 'task: threshold', which is missing"
        yield ("data", "scores"), f"{message}; give one such as 0.5"
    both = (scores.classes, task.classes)
    if all(both) and len({tuple(map(value_text, classes)) for classes in both}) > 1:
        message = "'task: classes' lists others, or in another order; keep one of the two"
        yield ("data", "scores", "classes"), message


def _groups_are_not_slices(policy: Policy) -> Iterator[Disagreement]:
    keys = {key for spec in policy.slices for key in spec.keys}
    if policy.group in keys:
        message = f"{literal(policy.group)} is a slicing key too: each slice would be one group"
        yield ("group",), f"{message}; remove one of the two"


def _money_has_a_price(policy: Policy) -> Iterator[Disagreement]:
    for index, rule in enumerate(policy.rules):
        at: Path = ("rules", index, "metric")
        if rule.metric in priced() and policy.cost is None:
            yield at, f"{rule.metric} needs a 'cost' section with billing: {{per_inference: ...}}"
        elif rule.metric in priced() - {"cost_per_1k"} and policy.cost and not policy.cost.volumes:
            message = "needs cost: {volumes: {now: ..., target: ..., months: ...}}"
            yield at, f"{rule.metric} {message}"


def _break_even_is_projected(policy: Policy) -> Iterator[Disagreement]:
    """A month beyond the projection could be neither reached nor missed."""
    if policy.cost is None or policy.cost.volumes is None:
        return
    last = policy.cost.volumes.last
    for index, rule in enumerate(policy.rules):
        for check, month in rule.levels.items():
            if rule.metric == "break_even_month" and month > last:
                message = f"got {as_written(month)}, but 'cost: volumes' ends with month {last}"
                yield ("rules", index, check), f"{message}; project further, or ask for less"


def _one_source_of_the_claims(policy: Policy) -> Iterator[Disagreement]:
    if policy.claims is not None and policy.claims.file and policy.claims.figures is not None:
        yield ("claims", "file"), "'figures' states them already; remove one of the two"


Check = Callable[[Policy], Iterator[Disagreement]]
_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (_rules_one_by_one, ()),
    (_metrics_fit_the_task, ("task",)),
    (_only_language_models_write, ("task", "model")),
    (estimate_disagreements, ("task", "model", "compress")),
    (_quality_is_judged, ("task", "quality")),
    (score_disagreements, ("task", "data")),
    (_classes_fit_the_task, ("task",)),
    (_classes_are_distinct, ()),
    (_evidence_fits_the_task, ("task", "evidence")),
    (_levels_can_be_reached, ("task", "quality")),
    (_some_rule_blocks, ("rules",)),
    (_no_rule_repeats_another, ()),
    (_selectors_name_slices, ("slices",)),
    (_production_is_declared, ("slices", "data")),
    (_slice_names_are_distinct, ()),
    (_keys_can_be_written, ()),
    (_expected_values_are_distinct, ()),
    (_names_do_not_collide, ()),
    (_columns_are_not_ours, ("data",)),
    (_columns_have_one_role, ("data",)),
    (_groups_are_not_slices, ()),
    (weight_disagreements, ("task", "rules")),
    (production_disagreements, ("task", "data", "slices", "rules")),
    (interval_disagreements, ("slices",)),
    (_scores_fit_the_task, ("data", "task")),
    (people_disagreements, ("slices", "data", "labels", "report")),
    (_money_has_a_price, ("cost",)),
    (_break_even_is_projected, ("cost",)),
    (one_source_of_the_candidate, ("model", "compress")),
    (ranking_data_are_used, ("compress",)),
    (steps_follow, ("compress", "model")),
    (search_varies_prunings, ("compress", "search", "cost")),
    (search_is_no_laxer, ("search", "evidence")),
    (_one_source_of_the_claims, ("claims",)),
)
"""Each check, and the sections without which it cannot tell."""
