"""Which models of a run had their weights in a pickle, told as a warning of each."""

from __future__ import annotations

from prunegate.models.load import LoadedModel
from prunegate.models.refusals import pickles_read
from prunegate.pipeline.context import Context
from prunegate.text.said import said


def pickle_warnings(bench: Context, candidate: LoadedModel) -> tuple[str, ...]:
    """That weights were read from a pickle, model by model; nothing where none were."""
    found = {"baseline": bench.baseline.pickled, "candidate": candidate.pickled}
    if bench.writing is not None:
        found["scorer"] = bench.writing.rater.model.pickled
    if bench.settings.pickles:
        places = bench.source.rewound_places()
        found |= {f"{when} model": pickles_read(place) for when, place in places.items()}
    return tuple(
        said("warning.pickled", model=name, files=", ".join(files[:5]))
        for name, files in found.items()
        if files
    )
