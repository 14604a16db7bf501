"""Rankings: the unit tables of a policy's prune steps, on its baseline."""

from __future__ import annotations

from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.unit_table import UnitRow, unit_rows
from prunegate.errors import InputError
from prunegate.io.progress import Progress
from prunegate.pipeline.context import Context


def rankings(bench: Context) -> tuple[UnitRow, ...]:
    """Rank the units of every prune step that removes units.

    Raises:
        InputError: no step does, or one cannot be done as asked.
    """
    found: list[UnitRow] = []
    settings = bench.settings
    for number, prepared in enumerate(bench.steps(bench.policy.compress), start=1):
        prune = prepared.step.prune
        if prune is None or prune.units is None:
            continue
        ranked = RankingInput(
            family=bench.baseline.family,
            module=bench.baseline.module,
            data=prepared.data,
            seed=settings.seed,
            device=settings.device,
            progress=_told(settings.progress, prune.units),
        )
        found += unit_rows(ranked, bench.baseline.kept, prune, number)
    if not found:
        raise InputError(
            "no step of 'compress' removes heads, neurons, filters or layers, so there is nothing "
            "to rank; add one, such as {prune: {what: heads, amount: 0.4}}"
        )
    return tuple(found)


def _told(progress: Progress, what: str) -> Progress:
    return lambda _stage, done, total: progress(f"rank {what}", done, total)
