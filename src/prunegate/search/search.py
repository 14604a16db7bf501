"""Search from start to end: set up, hunt on the search split, one gate on the gate split.

::

    labelled data -> contract -> attempts (search split) -> the smallest that passes
                                                              -> judge_candidate (gate split)
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prunegate._version import __version__
from prunegate.gate import Decision
from prunegate.models.load import read_candidate
from prunegate.pipeline.context import Context, Settings, set_up
from prunegate.pipeline.run import CANDIDATE, judge_candidate
from prunegate.pipeline.tuning import require_tunable
from prunegate.policy.load import PolicyFile
from prunegate.search.loop import Trace, hunt
from prunegate.search.possible_amounts import require_removable, require_searchable
from prunegate.search.several import require_optuna
from prunegate.search.trials import Trials
from prunegate.search.workfolder import WorkFolder
from prunegate.search.write import write_trace


@dataclass(frozen=True, kw_only=True)
class Searched:
    """The end of a search."""

    trace: Trace
    digest: str
    """Of everything that was tried."""
    decision: Decision | None
    """The gate's, on the chosen candidate; None: no candidate passed, so nothing was judged."""


def prepare_search(source: PolicyFile, settings: Settings) -> Context:
    """Check that the policy can be searched, then the data, then load the baseline.

    Raises:
        InputError: no ``search`` section, an extra that is missing, an amount that cannot be
            removed, or as for ``set_up``.
    """
    section = require_searchable(source, pickles=settings.pickles)
    if len(section.vary) > 1:
        require_optuna()
    bench = set_up(source, settings)
    require_removable(bench.policy, section, bench.baseline.kept)
    return bench


def decides(bench: Context) -> dict[str, Any]:
    """Everything that decides an attempt, as plain JSON values: two searches alike share work."""
    settings = bench.settings
    policy = bench.source.policy.model_dump(mode="json", exclude_unset=True)
    if isinstance((policy.get("search") or {}).get("control"), dict):
        del policy["search"]["control"]  # decides no attempt, so that it can change on the way
    return {
        "version": __version__,
        "policy": policy,
        "baseline": bench.baseline.digest,
        "table": bench.table.sha256,
        "files": [found.sha256 for found in bench.hashes],
        "seed": settings.seed,
        "device": settings.device,
        "timing": [settings.batch, float(settings.seconds)],
    }


def search(bench: Context, work: WorkFolder, folder: Path) -> Searched:
    """Find the smallest candidate that passes and judge it once on the gate split.

    Args:
        bench: from ``prepare_search``.
        work: keeps what was done, should the search be stopped.
        folder: an existing, empty folder; the caller publishes it. It gets attempts.json and
            frontier.csv, and where a candidate passed all that ``run`` leaves.

    Raises:
        InputError: an amount that cannot be removed, or as for ``judge_candidate``.
    """
    require_tunable(bench)
    section = bench.policy.search
    assert section is not None  # noqa: S101  # prepare_search insists
    trials = Trials(bench=bench, search=section, work=work)
    trace = hunt(trials)
    digest = write_trace(bench.source, bench.settings.seed, trace, folder)
    if trace.chosen is None:
        bench.require_unchanged()
        return Searched(trace=trace, digest=digest, decision=None)
    shutil.copytree(trials.candidate(trace.chosen).folder, folder / CANDIDATE)
    model = read_candidate(folder / CANDIDATE)
    made = trials.recipe(trace.chosen, model)
    decision = judge_candidate(bench, model, made, folder, search=trace.record())
    return Searched(trace=trace, digest=digest, decision=decision)
