"""An ONNX graph that others made, called like a torch module and computed by onnxruntime.

It is given what its interface asks for: channels last, whole numbers of 32 bits, half precision,
batches of one size, texts of one length, segment numbers of zero. What comes in and goes out keeps
the form that every other model here has: pixel_values [B, 3, H, W], or input_ids and
attention_mask [B, T].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from prunegate.errors import ModelError
from prunegate.models.onnx_interface import Interface
from prunegate.models.onnx_module import OnnxAnswer, OnnxModule

_TYPES: dict[str, Any] = {
    "FLOAT": np.float32,
    "FLOAT16": np.float16,
    "DOUBLE": np.float64,
    "INT64": np.int64,
    "INT32": np.int32,
}


_WHOLE = 1e-3
"""Probabilities of half precision add up to 1 as nearly as this."""
_SIZES = ((32, 32), (224, 224))
"""Tried on graphs that say no size."""


class ForeignOnnx(OnnxModule):
    """Inference of one ONNX graph of any interface.

    Args:
        raw: The bytes of the graph, its weights inside.
        name: What errors call it.
        interface: How it is called.
        pad: The token that fills up texts of a fixed length.
        exact: As of ``OnnxModule``.
    """

    def __init__(
        self,
        raw: bytes,
        name: str,
        interface: Interface,
        *,
        pad: int = 0,
        exact: bool = False,
    ) -> None:
        super().__init__(raw, name, exact=exact)
        self.interface = interface
        self._pad = pad

    def forward(self, *tensors: Tensor, **named: Tensor) -> OnnxAnswer:
        """Run the graph, in as many calls as its fixed batch needs.

        Args:
            tensors: None; inputs come by name.
            named: pixel_values, or input_ids and attention_mask.

        Raises:
            ModelError: inputs missing or unknown, or of shapes that the graph refuses.
        """
        wanted = "pixel_values" if self.interface.reads == "images" else "input_ids"
        if tensors or wanted not in named:
            raise ModelError(f"{self.name}: takes {wanted}; got {', '.join(named) or 'nothing'}.")
        rows = len(named[wanted])
        if self._told_apart(named):
            return OnnxAnswer(logits=self._by_length(named))
        parts = [self._answer(part) for part in self._batches(named, rows)]
        whole = torch.cat(parts)[:rows].float()
        if whole.ndim > 2 and set(whole.shape[2:]) == {1}:
            whole = whole.flatten(1)
        return OnnxAnswer(logits=whole if whole.ndim > 1 else whole[:, None])

    def require_logits(self) -> None:
        """Insist that answers of which nobody says what they are look like no probabilities.

        A graph may end in the parts of a softmax; taken for logits, its probabilities would be
        squeezed together.

        Raises:
            ModelError: the answer to noise adds up to 1, or lies from 0 to 1 where there is one.
        """
        if self.interface.told or self.interface.answers != "classes":
            return
        shares = self._to_noise()
        if shares is None:
            return
        alone = shares.shape[1] == 1
        inside = bool(((shares >= 0) & (shares <= 1)).all())
        whole = alone or bool(((shares.sum(dim=1) - 1).abs() < _WHOLE).all())
        if inside and whole:
            what = "lie between 0 and 1" if alone else "add up to 1"
            raise ModelError(
                f"{self.name}: its answers {what} and its graph ends in no softmax or sigmoid; say "
                "what they are: 'activation: none' for probabilities, "
                f"'activation: {self.interface.activation}' for logits."
            )

    def fed(self, named: Mapping[str, Tensor]) -> dict[str, npt.NDArray[Any]]:
        """What the graph is given, by its own names."""
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in named.items()}
        if self.interface.reads == "texts":
            arrays = self._texts(arrays)
        else:
            arrays = {"pixel_values": self._images(arrays["pixel_values"])}
        return {
            port.name: np.ascontiguousarray(arrays[role], dtype=_TYPES[port.type])
            for role, port in self.interface.inputs.items()
        }

    def exactly(self) -> ForeignOnnx:
        """Return the same graph as processors with VNNI compute it."""
        return ForeignOnnx(self.raw, self.name, self.interface, pad=self._pad, exact=True)

    def __reduce__(self) -> tuple[Callable[..., OnnxModule], tuple[Any, ...]]:
        """As of ``OnnxModule``."""
        build = partial(ForeignOnnx, pad=self._pad, exact=self._exact)
        return build, (self.raw, self.name, self.interface)

    def _answer(self, named: Mapping[str, Tensor]) -> Tensor:
        fed = self.fed(named)
        return (
            super().forward(**{name: torch.from_numpy(array) for name, array in fed.items()}).logits
        )

    def _to_noise(self) -> Tensor | None:
        """Its answers to noise; None: it takes images of sizes that are not known."""
        for size in _SIZES:
            try:
                with torch.inference_mode():
                    answer: OnnxAnswer = self(**_noise(self.interface, size))
            except ModelError:
                continue
            return answer.logits.double()
        return None

    def _told_apart(self, named: Mapping[str, Tensor]) -> bool:
        """Whether there is padding, and no mask that would tell the graph of it."""
        if self.interface.reads == "images" or "attention_mask" in self.interface.inputs:
            return False
        mask = named.get("attention_mask")
        return mask is not None and bool((mask == 0).any())

    def _by_length(self, named: Mapping[str, Tensor]) -> Tensor:
        """The answers to texts of several lengths, those of each length by themselves."""
        lengths = named["attention_mask"].sum(dim=1)
        found: Tensor | None = None
        for length in sorted(set(lengths.tolist())):
            rows = (lengths == length).nonzero()[:, 0]
            ids = named["input_ids"][rows, :length]
            part = self(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
            found = part.new_empty((len(lengths), *part.shape[1:])) if found is None else found
            found[rows.to(found.device)] = part
        assert found is not None  # noqa: S101  # there is a row, hence a length
        return found

    def _batches(self, named: Mapping[str, Tensor], rows: int) -> Iterator[Mapping[str, Tensor]]:
        """The rows as the graph takes them; its last batch is filled up with its first row."""
        size = self.interface.batch
        if size is None:
            yield named
            return
        for start in range(0, rows, size):
            places = torch.arange(start, start + size)
            places[places >= rows] = start
            yield {name: tensor[places.to(tensor.device)] for name, tensor in named.items()}

    def _images(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        size = self.interface.size
        if size is not None and pixels.shape[2:] != size:
            raise ModelError(
                f"{self.name}: takes images of {size[0]} x {size[1]} pixels; got "
                f"{pixels.shape[2]} x {pixels.shape[3]}. Put a preprocessor_config.json that makes "
                "this size beside the file."
            )
        if self.interface.channels == "BGR":
            pixels = pixels[:, ::-1]
        return pixels.transpose(0, 2, 3, 1) if self.interface.layout == "NHWC" else pixels

    def _texts(self, arrays: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        ids = arrays["input_ids"]
        found = {
            "input_ids": ids,
            "attention_mask": arrays.get("attention_mask", np.ones_like(ids)),
            "token_type_ids": np.zeros_like(ids),
        }
        length = self.interface.length
        if length is None or ids.shape[1] == length:
            return found
        if ids.shape[1] > length:
            raise ModelError(
                f"{self.name}: takes texts of {length} tokens; got {ids.shape[1]}. Write "
                f"model_max_length: {length} into tokenizer_config.json beside the file."
            )
        if "attention_mask" not in self.interface.inputs:
            raise ModelError(
                f"{self.name}: takes texts of exactly {length} tokens and no attention_mask, so "
                "shorter ones cannot be told from padding; export it with a free length."
            )
        beyond = ((0, 0), (0, length - ids.shape[1]))
        fill = {"input_ids": self._pad}
        return {
            role: np.pad(array, beyond, constant_values=fill.get(role, 0))
            for role, array in found.items()
        }


def example_of(interface: Interface, size: tuple[int, int] = (32, 32)) -> dict[str, Tensor]:
    """Two rows in the form that every model of images or texts is called with here."""
    if interface.reads == "texts":
        ids = torch.ones(2, interface.length or 4, dtype=torch.int64)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    return {"pixel_values": torch.zeros(2, 3, *(interface.size or size))}


def _noise(interface: Interface, size: tuple[int, int]) -> dict[str, Tensor]:
    """Seeded images; a text of one word."""
    given = example_of(interface, size)
    if interface.reads == "images":
        chance = torch.Generator().manual_seed(0)
        return {name: 2 * torch.randn(one.shape, generator=chance) for name, one in given.items()}
    return given
