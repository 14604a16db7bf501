"""Recipe words: what was done to make a candidate, a sentence or a few for each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prunegate.criteria import CRITERIA
from prunegate.text.nouns import one_of
from prunegate.text.said import joined, said


def step_in_words(step: Mapping[str, Any]) -> str:
    """One step in words; a step that another program wrote is spelled out as it stands."""
    try:
        return joined(_told(step), " ")
    except (KeyError, TypeError, ValueError):  # lacks what a sentence needs
        return ", ".join(f"{name}: {value}" for name, value in step.items())


def _told(step: Mapping[str, Any]) -> Iterator[str]:
    """The sentences of a step."""
    if step["step"] == "prune":
        yield from _pruning(step)
        yield from _plans(step)
        yield from _compensation(step)
    elif step["step"] == "quantize":
        scale = "channel" if step["per_channel"] else "tensor"
        yield _with_rows(
            step,
            "quantized",
            to=step["to"],
            engine=step["engine"],
            how=said(f"recipe.kind_{step['kind']}"),
            scale=said(f"recipe.scale_{scale}"),
        )
    elif step["step"] == "export":
        yield said("recipe.exported", to=step["to"].upper())
    elif step["step"] == "finetune":
        length = {"n": step["steps"]} if "steps" in step else {"n": step["epochs"]}
        yield _with_rows(
            step,
            "tuned",
            length=said("recipe.steps" if "steps" in step else "recipe.epochs", **length),
            batch=step["batch_size"],
            rate=step["learning_rate"],
        )
        yield from _teacher(step)
    else:
        raise ValueError(step["step"])


def _with_rows(step: Mapping[str, Any], kind: str, /, **values: Any) -> str:
    """A sentence that names the rows that the step looked at, where it did."""
    if not step.get("rows"):
        return said(f"recipe.{kind}", **values)
    rows = said("recipe.rows", rows=step["rows"], data=step["data"])
    return said(f"recipe.{kind}_on", rows=rows, **values)


def _teacher(step: Mapping[str, Any]) -> Iterator[str]:
    """How much the teacher counted, and what the training bought on rows that it saw."""
    if "teacher" not in step:
        return
    numbers = "distance_before" in step
    told = {"teacher": step["teacher"], "weight": step["weight"]}
    who = said("recipe.teacher", **told)
    if not numbers:
        who = said("recipe.teacher_soft", temperature=step["temperature"], **told)
    if "measured_rows" not in step:
        yield said("recipe.taught", who=who)
        return
    what = "distance" if numbers else "divergence"
    yield said(
        f"recipe.taught_{what}",
        who=who,
        rows=step["measured_rows"],
        loss_before=step["loss_before"],
        loss_after=step["loss_after"],
        before=step[f"{what}_before"],
        after=step[f"{what}_after"],
    )
    yield from _accuracy(step)


def _compensation(step: Mapping[str, Any]) -> Iterator[str]:
    """What ridge regression did, and what it bought on the rows that it was fitted on."""
    if "compensate" not in step:
        return
    yield _with_rows(
        step,
        "compensated",
        by=step["compensate"],
        measured=step["measured_rows"],
        before=step["loss_before"],
        removed=step["loss_removed"],
        after=step["loss_after"],
    )
    yield from _accuracy(step, "removed")


def _plans(step: Mapping[str, Any]) -> Iterator[str]:
    """Which plan of a budget was kept, and what all lost after a short recovery."""
    if "plans" not in step:
        return
    losses = [said("recipe.loss", loss=plan["loss"]) for plan in step["plans"]]
    if len(losses) == 1:
        yield said("recipe.one_plan")
        return
    yield said(
        "recipe.plans",
        plans=len(losses),
        batches=step["plan_steps"],
        plan=step["plan"],
        losses=losses,
    )


def _accuracy(step: Mapping[str, Any], between: str = "") -> Iterator[str]:
    whens = ("before", between, "after") if between else ("before", "after")
    shares = [step[f"accuracy_{when}"] for when in whens if f"accuracy_{when}" in step]
    if shares:
        yield said("recipe.accuracy", shares=[said("recipe.share", share=s) for s in shares])


def _pruning(step: Mapping[str, Any]) -> Iterator[str]:
    """What was removed, or set to zero."""
    known = CRITERIA.get(step["criterion"])
    looked = known is None or known.looks_at_rows
    ranked = said("recipe.ranked", criterion=step["criterion"])
    if step.get("rows") and looked:
        rows = said("recipe.rows", rows=step["rows"], data=step["data"])
        ranked = said("recipe.ranked_on", criterion=step["criterion"], rows=rows)
    scope = said(f"recipe.scope_{step['scope']}")
    told: dict[str, Any] = {"removed": step["removed"], "ranked": ranked}
    if "cycle" in step:
        told["cycle"] = said("recipe.cycle", cycle=step["cycle"], cycles=step["cycles"])
    in_cycle = "_cycle" if "cycle" in step else ""
    if step["what"] == "2:4":
        yield said("recipe.zeros_in_four", **told)
    elif step["what"] == "weights":
        yield said(f"recipe.zeros{in_cycle}", scope=scope, **told)
    else:
        units = step["what"] if step["removed"] != 1 else one_of(step["what"])
        told |= {"what": units, "least": step["min_per_layer"], "scope": scope}
        kind = "layers" if step["what"] == "layers" else "units"
        yield said(f"recipe.removed_{kind}{in_cycle}", **told)
    if "rewind" in step:
        yield said("recipe.rewound", to=step["rewind"])
