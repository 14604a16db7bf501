"""Possible amounts: whether what a search varies can be removed at all, before the first attempt.

How many units each layer has is known from the baseline, and how many go and have to stay from the
steps, which are followed one by one. Where that does not tell (a share of importance, zeros among
single weights) only the attempt itself can; one that cannot be made is told and passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prunegate.compress.foreseen import Foreseen, foresee
from prunegate.errors import InputError
from prunegate.models.described_units import units_in
from prunegate.models.kept_units import KeptUnits
from prunegate.pipeline.early_refusals import refuse_models
from prunegate.policy.load import PolicyFile
from prunegate.policy.schema import Policy
from prunegate.policy.steps import SearchSection, Step
from prunegate.search.variation import with_amounts
from prunegate.text.numbers import as_written


def require_searchable(source: PolicyFile, *, pickles: bool = False) -> SearchSection:
    """Refuse what the policy and its models' descriptions say cannot be searched; no library loads.

    Args:
        source: the policy.
        pickles: whether weights may be read from one.

    Raises:
        InputError: no ``search`` section, an amount that cannot be removed, or as for
            ``refuse_models``.
    """
    section = source.policy.search
    if section is None:
        raise InputError(
            f"{source.path}: has no 'search' section; add one, such as "
            "'search: {vary: [{step: 1, amount: [0.1, 0.9]}]}', or use 'prunegate run'"
        )
    refuse_models(source, pickles=pickles)
    named = source.policy.model.source_of("baseline") if source.policy.model else None
    kept = units_in(source.folder / named.path) if named is not None else None
    if kept is not None:
        require_removable(source.policy, section, kept)
    return section


def require_removable(policy: Policy, search: SearchSection, kept: KeptUnits) -> None:
    """Insist that every step can be carried out, and both ends of every range can be removed.

    A step that varies is looked at after the least that those before it remove.

    Args:
        policy: whose steps vary.
        search: the ranges.
        kept: what the baseline has, as far as it is known.

    Raises:
        InputError: an end removes more than ``min_per_layer`` allows, or less than a unit, or a
            step that does not vary does; all that cannot be are told together.
    """
    if wrong := tuple(_impossible(policy, search, kept)):
        raise InputError("; ".join(wrong))


def _impossible(policy: Policy, search: SearchSection, kept: KeptUnits) -> Iterator[str]:
    least = tuple(vary.amount[0] for vary in search.vary)
    varied = {vary.step for vary in search.vary}
    for found in _refused(with_amounts(policy, search, least), kept):
        if found.number not in varied:
            yield f"compress, step {found.number}: {found.why}"
    for vary in search.vary:
        for end in vary.amount:
            amounts = [end if other is vary else other.amount[0] for other in search.vary]
            steps = with_amounts(policy, search, tuple(amounts))
            if wrong := [one for one in _refused(steps, kept) if one.number == vary.step]:
                amount = as_written(end)
                yield f"search, step {vary.step}, amount {amount} of 'vary': {wrong[0].why}"
                break


def _refused(steps: Sequence[Step], kept: KeptUnits) -> list[Foreseen]:
    return [one for one in foresee(steps, kept) if one.refusal is not None]
