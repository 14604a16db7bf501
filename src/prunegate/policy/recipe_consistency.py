"""What must agree between the steps that make a candidate, the search over them, and the models."""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.criteria import ranked_by_rows
from prunegate.policy.schema import Policy
from prunegate.policy.step_order import misplaced
from prunegate.policy.steps import OTHER_SCOPE, Prune
from prunegate.policy.validation import Path
from prunegate.text.numbers import as_written


def one_source_of_the_candidate(policy: Policy) -> Iterator[tuple[Path, str]]:
    """A candidate is made or named, not both."""
    if policy.compress and policy.model is not None and policy.model.candidate is not None:
        message = (
            "'compress' makes a candidate and model.candidate names one; remove one of the two"
        )
        yield ("compress",), message


def ranking_data_are_used(policy: Policy) -> Iterator[tuple[Path, str]]:
    """A criterion that looks at no data is given none."""
    for index, step in enumerate(policy.compress):
        if step.prune and step.rows is None and "data" in step.prune.model_fields_set:
            message = f"criterion {step.prune.criterion} looks at no data"
            able = next(iter(ranked_by_rows()))
            yield ("compress", index, "prune", "data"), f"{message}; remove 'data' or use {able}"


def steps_follow(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Which steps may come after which, and what they need of ``model``."""
    for found in misplaced(policy.compress):
        yield ("compress", found.index, *found.key), found.message
    for index, step in enumerate(policy.compress):
        rewind = step.prune.rewind if step.prune else "none"
        if rewind != "none" and getattr(policy.model, rewind, None) is None:
            message = f"needs 'model: {{{rewind}: FOLDER}}', the weights to go back to"
            yield ("compress", index, "prune", "rewind"), message


def search_varies_prunings(policy: Policy) -> Iterator[tuple[Path, str]]:
    """A search varies amounts of prune steps, each once, on rows of its own."""
    if policy.search is None:
        return
    seen: dict[int, int] = {}
    for index, vary in enumerate(policy.search.vary):
        at: Path = ("search", "vary", index, "step")
        steps = policy.compress
        step = steps[vary.step - 1] if vary.step <= len(steps) else None
        if step is None or step.prune is None or step.prune.what == "2:4":
            yield at, f"step {vary.step} of 'compress' is no prune step with an amount"
        elif (first := seen.setdefault(vary.step, index)) != index:
            yield at, f"vary[{first}] varies step {vary.step} already; keep one"
    for number, rows in policy.rows_of_steps.items():
        if rows.split == "search":
            message = "the search split chooses between candidates; train and rank on others"
            yield ("compress", number - 1), message
    yield from _search_has_an_objective(policy)
    yield from _control_has_a_scope(policy)


def _control_has_a_scope(policy: Policy) -> Iterator[tuple[Path, str]]:
    """The other scope changes a step that varies, and a budget can be planned there."""
    search = policy.search
    if search is None or search.beside.scope not in ("global", "budget"):
        return
    at: Path = ("search", "control", "scope")
    wanted = search.beside.scope
    numbers = [one.step for one in search.vary if one.step <= len(policy.compress)]
    found = [(n, p) for n in numbers if (p := policy.compress[n - 1].prune) is not None]
    changed = [(number, prune) for number, prune in found if prune.scope == OTHER_SCOPE[wanted]]
    if not changed:
        message = f"no step that varies says scope: {OTHER_SCOPE[wanted]}"
        yield at, f"{message}, so there is nothing to compare by {wanted}; remove it"
    for number, prune in changed:
        if wanted == "budget" and (why := _no_budget(prune)):
            yield at, f"step {number} cannot be done by budget: {why}"


def _no_budget(prune: Prune) -> str:
    """Why a step by global ranking could not be one by budget; empty: it could."""
    if prune.units is None or prune.units == "layers":
        return "it is for heads, neurons and filters"
    if prune.cycles > 1:
        return "it spends its share at once, not in cycles"
    if not prune.looks_at_rows:
        return "it looks at no rows to plan on; use criterion: taylor or compensate: ridge"
    return ""


def _search_has_an_objective(policy: Policy) -> Iterator[tuple[Path, str]]:
    if policy.search is None or policy.search.objective != "cost_per_1k":
        return
    at: Path = ("search", "objective")
    if policy.cost is None:
        yield at, "cost_per_1k needs a 'cost' section"
    elif policy.cost.billing.quoted:
        message = "cost_per_1k is the same for every candidate while 'cost' quotes the candidate's"
        yield at, f"{message} price; remove it, so that the price is scaled by the measured ratio"


def search_is_no_laxer(policy: Policy) -> Iterator[tuple[Path, str]]:
    """An attempt has to be as sure as the gate."""
    confidence = policy.search.confidence if policy.search is not None else None
    if confidence is not None and confidence < policy.evidence.confidence:
        sure, gate = map(as_written, (confidence, policy.evidence.confidence))
        message = f"{sure} is less than the gate's {gate}"
        yield ("search", "confidence"), f"{message}; an attempt has to be as sure at least"
