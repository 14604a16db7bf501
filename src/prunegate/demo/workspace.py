"""The demo's workspace: rendered creatives, a trained baseline and two policies, made once.

Everything that takes long is kept in a cache folder named by what it was made from, so that a
second demo starts from the trained baseline. A folder appears whole or not at all, so an
interrupted demo leaves nothing that a later one would trust.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from prunegate._version import __version__
from prunegate.demo.dataset import Sizes, read_split, write
from prunegate.errors import InputError
from prunegate.io.atomic import replace_file
from prunegate.io.progress import Progress

ARMS = {
    "representative": "",
    "display-only": ", where: {content_type: display}",
}
"""The two candidates: which rows rank and recover them. The second is the mistake; it is judged
second, because both are tried on one gate set and a further attempt has less of alpha."""
SEARCH = "search"
"""The search: the representative recipe with another share of heads in each attempt."""
MORE = 13_600
"""Creatives that the full demo's search has beyond the 800 of the search split."""
FULL = Sizes()
STEPS = 1000
"""Fine-tuning steps of the full demo. Smaller data get fewer."""
MAKERS = ("shapes.py", "styles.py", "creatives.py", "dataset.py", "more.py", "baseline.py")
"""The code that decides what is cached: a change in it makes the cache start anew."""
STAGES = {
    "write images": "write the creatives",
    "read images": "read the creatives",
    "train": "train the baseline",
}
"""What takes long here, in plain words."""


@dataclass(frozen=True, kw_only=True)
class DemoWorkspace:
    """Where the demo's inputs lie."""

    folder: Path
    policies: dict[str, Path]
    """Policy file of each candidate, in the order in which they are judged."""


def default_cache() -> Path:
    """The user's cache folder, by the XDG rule."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "prunegate"


def name_of(arm: str) -> str:
    """The policy's name of one candidate."""
    return f"demo-{arm}"


def scaled(scale: float) -> Sizes:
    """A share of the full demo's creatives, of each split alike."""
    return Sizes(**{split: round(size * scale) for split, size in asdict(FULL).items()})


def progress_of_arm(arm: str, progress: Progress) -> Progress:
    """Progress that says which candidate it speaks of."""
    return lambda stage, done, total: progress(f"{arm}: {stage}", done, total)


def prepare_demo(
    cache: Path, *, seed: int, sizes: Sizes, epochs: int, progress: Progress
) -> DemoWorkspace:
    """Render, train and write what is not in the cache yet.

    Args:
        cache: the cache folder.
        seed: decides every pixel and the baseline's weights.
        sizes: creatives per split.
        epochs: passes over the training split.
        progress: called with the stage, how much is done, and the total.

    Raises:
        InputError: the cache folder cannot be written.
    """
    folder = cache / _key(seed, sizes, epochs)
    creatives, baseline = folder / "creatives", folder / "baseline"
    policies = {arm: folder / f"{name_of(arm)}.yaml" for arm in ARMS}
    try:
        if not creatives.exists():
            progress("render the creatives", 0, 1)
            write(creatives, seed=seed, sizes=sizes, progress=_plainly(progress))
        if not baseline.exists():
            _train(creatives, baseline, seed, epochs, _plainly(progress))
        for arm, path in policies.items():
            _write_policy(path, policy_text(arm, sizes))
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); name another --cache"
        ) from error
    return DemoWorkspace(folder=folder, policies=policies)


def prepare_search_demo(
    cache: Path, *, seed: int, sizes: Sizes, epochs: int, progress: Progress
) -> Path:
    """Add what the search needs to the demo's workspace; return the policy to search by.

    Args and errors are those of ``prepare_demo``.
    """
    from prunegate.demo.more import write_more

    folder = prepare_demo(cache, seed=seed, sizes=sizes, epochs=epochs, progress=progress).folder
    path = folder / f"{name_of(SEARCH)}.yaml"
    count = max(1, MORE * sizes.search // FULL.search)
    try:
        write_more(folder, count, seed=seed, sizes=sizes, progress=progress)
        _write_policy(path, policy_text(SEARCH, sizes))
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); name another --cache"
        ) from error
    return path


def _plainly(progress: Progress) -> Progress:
    def plain(stage: str, done: int, total: int) -> None:
        progress(STAGES.get(stage, stage), done, total)

    return plain


def _write_policy(path: Path, text: str) -> None:
    """Whole or not at all, and only if it is not there: another demo may be reading it."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    replace_file(path, text.encode())


def policy_text(arm: str, sizes: Sizes) -> str:
    """The policy of one candidate; smaller data lower the minimum evidence and the training."""
    text = _shipped("policy.yaml")
    judged = sizes.gate
    if arm == SEARCH:
        for old, new in _SEARCHED.items():
            text = text.replace(old, new)
        text += _shipped("search.yaml")
        judged = sizes.search + max(1, MORE * sizes.search // FULL.search)
    filled = {
        "@NAME@": name_of(arm),
        "@WHERE@": ARMS.get(arm, ""),
        "@ROWS@": str(min(1000, max(1, judged // 12))),
        "@POSITIVES@": str(min(400, max(1, judged // 30))),
        "@STEPS@": str(max(1, STEPS * sizes.train // FULL.train)),
    }
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return text


_SEARCHED = {
    "data: {table: creatives/creatives.csv}": "data: {table: search.csv, images: .}",
    "learning_rate: 0.002": "learning_rate: 0.0005",
}
"""How the search's policy differs: more creatives to judge on, and a gentler recovery, so that
what is lost is lost to the pruning."""


def _shipped(name: str) -> str:
    return files("prunegate.demo").joinpath(name).read_text(encoding="utf-8")


def _train(creatives: Path, baseline: Path, seed: int, epochs: int, progress: Progress) -> None:
    from prunegate.demo.baseline import Training, train

    found = read_split(creatives, "train", progress)
    train(
        found.pixels,
        found.unsafe,
        baseline,
        seed=seed,
        training=Training(epochs=epochs),
        progress=progress,
    )


def _key(seed: int, sizes: Sizes, epochs: int) -> str:
    """What the cached material was made from, so that another recipe never finds it."""
    recipe = f"{__version__} {seed} {sorted(asdict(sizes).items())} {epochs}"
    made = hashlib.sha256(recipe.encode())
    for name in MAKERS:
        made.update(files("prunegate.demo").joinpath(name).read_bytes())
    return f"demo-{seed}-{made.hexdigest()[:12]}"
