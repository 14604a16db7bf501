"""Names of stored tensors: what they tell of how a model was saved. No torch here.

A wrapper puts its own name before every tensor's (DataParallel, torch.compile, FSDP, a module of
Lightning), and torch.nn.utils.prune leaves two tensors for each weight. Neither loads into the
model alone; what to do about it is one line.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from prunegate.errors import ModelError

_PARTS = ("module.", "_orig_mod.", "_fsdp_wrapped_module.")
_WRAPPERS = re.compile(rf"(?:{'|'.join(map(re.escape, _PARTS))})+")
"""What DataParallel, torch.compile and FSDP put before names, and no model of transformers."""


def refuse_tensor_names(names: Collection[str], folder: Path) -> None:
    """Refuse weights under a mask, and those of a wrapper around the model.

    Raises:
        ModelError: ``torch.nn.utils.prune`` was not made permanent, or every name begins as a
            wrapper's does.
    """
    masked = [name for name in names if name.endswith("_orig") and _masked(name) in names]
    if masked:
        weight = masked[0].removesuffix("_orig").rpartition(".")[2]
        raise ModelError(
            f"{folder}: {masked[0]} stands beside {_masked(masked[0])}: torch.nn.utils.prune left "
            f"its masks. Make them permanent before saving: prune.remove(module, '{weight}') for "
            "every pruned module."
        )
    found = _WRAPPERS.match(next(iter(names), ""))
    if found and all(name.startswith(found[0]) for name in names):
        raise wrapped_names(str(folder), found[0])


def common_wrapper(wanted: Collection[str], stored: Collection[str]) -> str | None:
    """What stands before each wanted name among the stored ones; None: nothing common does.

    >>> common_wrapper({"a.weight", "b.weight"}, {"net.a.weight", "net.b.weight", "loss.weight"})
    'net.'
    """
    first = max(sorted(wanted), key=len, default="")
    before = (name.removesuffix(first) for name in stored if name.endswith(f".{first}"))
    found = (one for one in before if all(f"{one}{name}" in stored for name in wanted))
    return next(found, None) if first else None


def refuse_wrapped(place: str, wanted: Collection[str], stored: Collection[str]) -> None:
    """Refuse weights that would be the wanted ones but for a wrapper around the model or a part.

    Args:
        place: what errors call the file.
        wanted: names of the model's tensors.
        stored: names of the file's; those that are the same in both may be left out of both.

    Raises:
        ModelError: they are, once the wrapper's name is taken out.
    """
    if prefix := common_wrapper(wanted, stored):
        raise wrapped_names(place, prefix)
    missing = set(wanted) - set(stored)
    for part in _PARTS:
        within = {name: name.replace(part, "") for name in stored if part in name}
        if missing & set(within.values()):
            raise ModelError(
                f"{place}: names of its tensors hold {part!r}, as {min(within)}, which a wrapper "
                "around a part of the model puts there (DataParallel, torch.compile, FSDP). Save "
                f"the weights without it: {{k.replace({part!r}, ''): v for k, v in state.items()}}."
            )


def wrapped_names(place: str, prefix: str) -> ModelError:
    """The error of weights whose names begin with a wrapper's."""
    return ModelError(
        f"{place}: the names of its tensors begin with {prefix!r}, which a wrapper around the "
        "model puts there (DataParallel, torch.compile, FSDP, Lightning). Save the weights without "
        f"it: {{k.removeprefix({prefix!r}): v for k, v in state.items()}}."
    )


def _masked(name: str) -> str:
    return f"{name.removesuffix('_orig')}_mask"
