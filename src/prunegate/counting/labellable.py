"""Labellable: which policies can be judged on labels for some of the rows."""

from __future__ import annotations

from prunegate.errors import UnsupportedError
from prunegate.policy.production import refuse_production_rules
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import require_decisions_do
from prunegate.policy.weight_consistency import refuse_weights

UNLABELLED = "'prunegate label' draws the few rows whose labels decide, where most have none"


def unlabelled_hint(policy: Policy) -> str:
    """What to do with rows that have no true label; empty: label them all."""
    try:
        require_labellable(policy)
    except UnsupportedError:
        return ""
    return UNLABELLED


def require_labellable(policy: Policy) -> None:
    """Refuse policies whose rows cannot be labelled in part.

    Raises:
        UnsupportedError: saying what to do.
    """
    if not (policy.task.traits.yes_no or policy.task.traits.classes):
        raise UnsupportedError(
            f"a {policy.task.kind} task cannot be judged on labels for some rows (only binary and "
            "multiclass tasks can); label every row, and give them to 'prunegate gate' in the "
            "predictions"
        )
    require_decisions_do(
        policy, "here some rows have no label; label every row, and give them to 'prunegate gate'"
    )
    if policy.group is not None:
        raise UnsupportedError(
            f"'group: {policy.group}' cannot be judged on labels for some rows: how often that "
            "would err has not been measured; label every row, and give them to 'prunegate gate' "
            "in the predictions"
        )
    refuse_production_rules(
        policy,
        "cannot be judged on labels for some rows: what they show of each value would have to be "
        "known apart; label every row, or limit it overall and on each value",
    )
    refuse_weights(
        policy,
        "cannot be judged on labels for some rows: which rows to label would hang on their "
        "weights; label every row, and give them to 'prunegate gate' in the predictions",
    )
