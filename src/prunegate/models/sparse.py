"""Sparse weights: which tensors single weights are zeroed in, and how many zeros they hold.

Zeros in dense storage save neither bytes nor time; they are counted, not credited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from torch import Tensor, nn

from prunegate.models.family import Family
from prunegate.models.kept_units import IN_LAYERS


def prunable(module: nn.Module, family: Family) -> dict[str, nn.Parameter]:
    """Return the weight matrices that single weights may be taken from, by name.

    Those are the matrices and convolution kernels of the layers; in a network without layers, of
    its convolutions but the first, which reads the pixels. Embeddings, norms, biases and the
    classification head stay dense.
    """
    inside = {id(weight) for weight in _matrices(module, family)}
    return {
        name: parameter for name, parameter in module.named_parameters() if id(parameter) in inside
    }


def count_zeros(module: nn.Module, family: Family) -> int:
    """Count the weights that are exactly zero in the prunable tensors."""
    return sum(int((weight == 0).sum()) for weight in prunable(module, family).values())


def masks(module: nn.Module, family: Family) -> dict[str, Tensor]:
    """Return a mask of the weights that are not zero, for every prunable tensor that has zeros."""
    return {
        name: weight.detach() != 0
        for name, weight in prunable(module, family).items()
        if bool((weight == 0).any())
    }


@contextmanager
def held(module: nn.Module, zeros: Mapping[str, Tensor]) -> Iterator[None]:
    """Keep weights that are zero at zero while the context lasts.

    Their gradients are zero, so an optimizer that is made inside, with or without momentum and
    weight decay, never moves them.

    Args:
        module: Trained inside.
        zeros: As ``masks`` returns them.
    """
    with ExitStack() as stack:
        for name, mask in zeros.items():
            handle = module.get_parameter(name).register_hook(_masking(mask))  # type: ignore[no-untyped-call]  # of torch
            stack.callback(handle.remove)
        yield


def _masking(mask: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda gradient: gradient * mask.to(gradient.device)


def output_first(module: nn.Module, name: str) -> bool:
    """Tell whether a weight's first axis is its output; GPT-2's Conv1D stores it transposed."""
    owner = module.get_submodule(name.rpartition(".")[0])
    return type(owner).__name__ != "Conv1D"


def _matrices(module: nn.Module, family: Family) -> Iterator[Tensor]:
    if family.sites(module, "layers"):
        for kind in IN_LAYERS:
            for site in family.sites(module, kind):
                yield from (part.tensor for part in site.parts if part.multiplies)
        return
    convolutions = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
    yield from (part.weight for part in convolutions[1:])
