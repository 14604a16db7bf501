"""int8 of a model.onnx: weights stored as eight-bit whole numbers, products computed with them.

========================  ==============================  ====================================
kind                      products with stored matrices   convolutions
========================  ==============================  ====================================
dynamic                   in whole numbers, activations   weights 8 bits, computed in float
                          scaled as they come
static                    in whole numbers, activations   in whole numbers, result scaled too
                          scaled once, on calibration
weight_only               weights 8 bits, widened when    weights 8 bits, computed in float
                          the model is loaded
========================  ==============================  ====================================

Weights lie in [-127, 127] and are stored as uint8 with zero point 128: the same numbers, the same
size. Stored as int8 they would not be computed alike everywhere: on x86 without VNNI onnxruntime
multiplies uint8 by int8 with an instruction (``vpmaddubsw``) that adds two products in 16 bits and
saturates, so that two neighbouring weights whose sum passes 128 give another model. uint8 by uint8
is widened to 16 bits first there, and exact; what that costs: docs/compression.md.

ConvInteger, what dynamic convolutions would be, takes 5 to 7 x as long as float32 in onnxruntime
1.32. For weight_only, DequantizeLinear would be shorter than Cast, Sub and Mul, but onnxruntime
turns it into MatMulNBits when it loads the model, which rounds the activations too (1 % off, and
otherwise on another processor); the three are folded into float32 weights.
Operators are all of the ONNX standard. Products of two activations, normalisations and biases stay
float32. Weights are symmetric, activations are not; a range is the smallest and largest value seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from torch import Tensor

from prunegate.compress.int8_ranges import Scale, observe
from prunegate.compress.int8_sites import EmbeddingTable, Filter, Matrix, Site, find_sites
from prunegate.compress.onnx_graph import Graph
from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.int8_rounding import ZERO_POINT, round_to_int8, to_uint8
from prunegate.models.onnx_file import read_onnx

Kind = Literal["dynamic", "static", "weight_only"]
_FLOAT = 1  # TensorProto.FLOAT


def int8(
    raw: bytes,
    *,
    kind: Kind = "dynamic",
    per_channel: bool = True,
    embeddings: bool | None = None,
    calibration: Iterable[Mapping[str, Tensor]] = (),
) -> bytes:
    """Return the int8 model; the same model and calibration rows give the same bytes.

    Args:
        raw: A float32 model.onnx.
        kind: See the module.
        per_channel: One scale for each output channel (row of a table) instead of one per tensor.
        embeddings: Quantize embedding tables, and matrices tied to them; None: where tables hold
            more than half of the weights.
        calibration: Batches of inputs by name, for ``static`` only.

    Raises:
        ModelError: the model is malformed or has NaN weights; static without usable batches.
        UnsupportedError: nothing in it can be quantized, or no extra ``edge``.
    """
    graph = Graph(read_onnx(raw))
    sites = find_sites(graph, embeddings)
    if not sites:
        raise UnsupportedError(
            "int8: the model has no float32 matrices, convolutions or tables to quantize; give the "
            "float32 model, or drop the step."
        )
    scales: dict[str, Scale] = {}
    if kind == "static":
        scales = observe(raw, _activations(sites), calibration)
    writer = _Writer(graph, sites, kind, per_channel, scales)
    for node in graph.nodes:
        writer.replace(node)
    return graph.finish()


def _activations(sites: Mapping[str, Site]) -> set[str]:
    found = {site.data for site in sites.values() if not isinstance(site, EmbeddingTable)}
    return found | {site.answer for site in sites.values() if isinstance(site, Filter)}


class _Writer:
    """Writes nodes and their replacements; remembers what several of them share."""

    def __init__(
        self,
        graph: Graph,
        sites: Mapping[str, Site],
        kind: Kind,
        per_channel: bool,
        scales: Mapping[str, Scale],
    ) -> None:
        self._graph = graph
        self._sites = sites
        self._kind = kind
        self._per_channel = per_channel
        self._scales = scales
        filters = [site for site in sites.values() if isinstance(site, Filter)]
        self._answers = {site.answer for site in filters} if kind == "static" else set()
        self._weights: dict[tuple[str, int], tuple[str, str]] = {}
        self._turned: dict[str, str] = {}
        self._dynamic: dict[str, tuple[str, str, str]] = {}
        self._fixed: dict[str, str] = {}
        self._middle: str | None = None
        self._zeros: dict[tuple[Any, tuple[int, ...]], str] = {}

    def replace(self, node: Any) -> None:
        """Write what stands for a node."""
        output = node.output[0] if node.output else ""
        answer = output in self._answers
        target = self._graph.new(f"{output}_float") if answer else output
        site = self._sites.get(output)
        if isinstance(site, Matrix):
            self._matrix(site, target)
        elif isinstance(site, EmbeddingTable):
            self._table(site, target)
        elif isinstance(site, Filter):
            self._filter(node, site, target)
        else:
            self._graph.keep(node, target if answer else None)
        if answer:
            self._fixed[output] = self._round(target, output, output)

    def _matrix(self, site: Matrix, target: str) -> None:
        graph = self._graph
        weight, scale = self._stored_matrix(site)
        product = graph.new(f"{target}_product") if site.bias else target
        if self._kind == "dynamic":
            data, size, zero = self._scaled(site.data)
            factors = [data, weight, zero, self._zero((), np.uint8)]
            whole = graph.write("MatMulInteger", factors, graph.new(f"{target}_whole"))
            wide = graph.write("Cast", [whole], graph.new(f"{target}_wide"), to=_FLOAT)
            both = graph.write("Mul", [size, scale], graph.new(f"{target}_scale"))
            graph.write("Mul", [wide, both], product)
        elif self._kind == "static":
            data = self._fixed_data(site.data)
            graph.write("MatMul", [data, self._widened(weight, scale, 1)], product)
        else:
            widened = graph.write(
                "Mul", [self._centred(weight, target), scale], graph.new(f"{target}_weight")
            )
            graph.write("MatMul", [site.data, widened], product)
        if site.bias:
            graph.write("Add", [product, site.bias], target)

    def _filter(self, node: Any, site: Filter, target: str) -> None:
        graph = self._graph
        weight, scale = self._stored(site.weight, 0)
        attributes = {a.name: _value(a) for a in node.attribute}
        bias = [site.bias] if site.bias else []
        if self._kind == "static":
            data, widened = self._fixed_data(site.data), self._widened(weight, scale, 0)
            bias = [self._fixed_bias(name, site) for name in bias]
        else:
            # Folded when the model is loaded, so that the float kernels are as fast as ever.
            data = site.data
            ones = (1,) * (len(graph.shape(site.weight) or ()) - 1)
            spread = self._reshaped(site.weight, (-1, *ones)) if self._per_channel else scale
            widened = graph.write(
                "Mul", [self._centred(weight, target), spread], graph.new(f"{target}_weight")
            )
        graph.write("Conv", [data, widened, *bias], target, **attributes)

    def _table(self, site: EmbeddingTable, target: str) -> None:
        graph = self._graph
        weight, scale = self._stored(site.weight, 0)
        rows = graph.write("Gather", [weight, site.rows], graph.new(f"{target}_rows"), axis=0)
        wide = self._centred(rows, target)
        if self._per_channel:
            found = graph.write("Gather", [scale, site.rows], graph.new(f"{target}_size"), axis=0)
            last = graph.store(np.array([-1], dtype=np.int64), "last_axis")
            scale = graph.write("Unsqueeze", [found, last], graph.new(f"{target}_scale"))
        graph.write("Mul", [wide, scale], target)

    def _centred(self, whole: str, target: str) -> str:
        """Return stored whole numbers as float32 around zero."""
        graph = self._graph
        wide = graph.write("Cast", [whole], graph.new(f"{target}_wide"), to=_FLOAT)
        if self._middle is None:
            self._middle = graph.store(np.array(ZERO_POINT, dtype=np.float32), "middle")
        return graph.write("Sub", [wide, self._middle], graph.new(f"{target}_centred"))

    def _scaled(self, data: str) -> tuple[str, str, str]:
        """Return activations scaled as they come: whole numbers, scale, zero."""
        if data not in self._dynamic:
            names = [self._graph.new(f"{data}_{part}") for part in ("int8", "scale", "zero")]
            self._graph.write("DynamicQuantizeLinear", [data], *names)
            self._dynamic[data] = (names[0], names[1], names[2])
        return self._dynamic[data]

    def _fixed_data(self, data: str) -> str:
        """Return activations rounded by the scale that calibration gave."""
        if data not in self._fixed:
            self._fixed[data] = self._round(data, self._graph.new(f"{data}_rounded"), data)
        return self._fixed[data]

    def _round(self, value: str, target: str, seen_as: str) -> str:
        graph, found = self._graph, self._scales[seen_as]
        scale = graph.store(np.array(found.scale), f"{seen_as}_scale")
        zero = graph.store(np.array(found.zero), f"{seen_as}_zero")
        whole = graph.new(f"{seen_as}_int8")
        graph.write("QuantizeLinear", [value, scale, zero], whole)
        return graph.write("DequantizeLinear", [whole, scale, zero], target)

    def _fixed_bias(self, bias: str, site: Filter) -> str:
        """Return a bias as int32 in units of the product's scale, which integer kernels need."""
        graph = self._graph
        if graph.shape(bias) is None:
            return bias
        axis = 0 if self._per_channel else None
        unit = self._scales[site.data].scale * round_to_int8(graph.values(site.weight), axis)[1]
        limits = np.iinfo(np.int32)
        whole = np.clip(
            np.rint(graph.values(bias) / unit.astype(np.float64)), limits.min, limits.max
        )
        stored = graph.store(whole.astype(np.int32), f"{bias}_int32")
        scale = graph.store(unit.astype(np.float32), f"{bias}_scale")
        return self._widened(stored, scale, 0, np.int32)

    def _widened(self, whole: str, scale: str, axis: int, kind: type[Any] = np.uint8) -> str:
        """Return stored whole numbers as float32, in the pattern that the runtime looks for."""
        zero = self._zero(self._graph.stored_shape(scale), kind)
        along = {"axis": axis} if self._per_channel else {}
        target = self._graph.new(f"{whole}_wide")
        return self._graph.write("DequantizeLinear", [whole, scale, zero], target, **along)

    def _zero(self, shape: tuple[int, ...], kind: type[Any]) -> str:
        """Return the stored numbers that mean zero; onnxruntime 1.32 needs them spelled out."""
        if (kind, shape) not in self._zeros:
            value = ZERO_POINT if kind is np.uint8 else 0
            zeros = np.full(shape, value, dtype=kind)
            self._zeros[kind, shape] = self._graph.store(zeros, f"zero_{zeros.dtype}")
        return self._zeros[kind, shape]

    def _stored_matrix(self, site: Matrix) -> tuple[str, str]:
        """Return names of the stored matrix [in, out] and its scales."""
        if not (site.tied and site.transposed):
            return self._stored(site.weight, 0 if site.transposed else 1, turn=site.transposed)
        weight, scale = self._stored(site.weight, 0)
        if weight not in self._turned:  # folded when the model is loaded
            turned = self._graph.new(f"{weight}_turned")
            self._turned[weight] = self._graph.write("Transpose", [weight], turned, perm=[1, 0])
        return self._turned[weight], scale

    def _stored(self, name: str, axis: int, *, turn: bool = False) -> tuple[str, str]:
        if (name, axis) not in self._weights:
            try:
                whole, scale = round_to_int8(
                    self._graph.values(name), axis if self._per_channel else None
                )
            except ModelError as error:
                raise ModelError(f"{name}: {error}") from error
            stored = to_uint8(whole.T if turn else whole)
            self._weights[name, axis] = (
                self._graph.store(stored, f"{name}_uint8"),
                self._graph.store(scale, f"{name}_scale"),
            )
        return self._weights[name, axis]

    def _reshaped(self, name: str, shape: tuple[int, ...]) -> str:
        """Return the scales of a filter in a shape that multiplies it."""
        scale = self._stored(name, 0)[1]
        if scale not in self._turned:
            to = self._graph.store(np.array(shape, dtype=np.int64), f"{scale}_shape")
            turned = self._graph.new(f"{scale}_turned")
            self._turned[scale] = self._graph.write("Reshape", [scale, to], turned)
        return self._turned[scale]


def _value(attribute: Any) -> Any:
    values = {attribute.INT: attribute.i, attribute.STRING: attribute.s}
    return values[attribute.type] if attribute.type in values else list(attribute.ints)
