"""An ONNX graph while it is rewritten: its constants, and the nodes that replace others.

Nodes are visited in the order of the file, which is an order of computation, and written out as
they are or as their replacements, so that what a replacement reads has been computed before it.
Names are made from names that are there: the same graph is rewritten into the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from prunegate.models.onnx_file import edge, graphs


class Graph:
    """The main graph of a model; graphs inside nodes are left as they are."""

    def __init__(self, model: Any) -> None:
        self._onnx = edge("onnx")
        self._model = model
        self._stored = {tensor.name: tensor for tensor in model.graph.initializer}
        self._added: list[Any] = []
        self._written: list[Any] = []
        self.nodes = tuple(model.graph.node)
        """As they were read."""
        self.inputs = frozenset(value.name for value in model.graph.input)
        self._makers = {name: node for node in self.nodes for name in node.output}
        self._names = {*self._stored, *self.inputs, *self._makers}

    def maker(self, value: str) -> Any | None:
        """Return the node that computes a value; None: stored or given."""
        return self._makers.get(value)

    def readers(self, value: str) -> list[Any]:
        """Return the nodes that read a value; None stands for the graph's own output."""
        found = [node for node in self.nodes if value in _reads(node)]
        return [*found, *(None for output in self._model.graph.output if output.name == value)]

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Return the shape of a stored float32 tensor; None: computed, given or of another type."""
        tensor = self._stored.get(name)
        if tensor is None or tensor.data_type != self._onnx.TensorProto.FLOAT:
            return None
        return tuple(tensor.dims)

    def values(self, name: str) -> npt.NDArray[np.float32]:
        """Return a stored float32 tensor, of whatever shape it has."""
        values = self._onnx.numpy_helper.to_array(self._stored[name])
        return cast("npt.NDArray[np.float32]", values)

    def float_weights(self) -> int:
        """Count the elements of all stored float32 tensors."""
        return sum(prod(self.shape(name) or (0,)) for name in self._stored)

    def new(self, name: str) -> str:
        """Return a name that is not taken, and take it."""
        candidate, number = name, 1
        while candidate in self._names:
            number += 1
            candidate = f"{name}_{number}"
        self._names.add(candidate)
        return candidate

    def store(self, values: npt.NDArray[Any], name: str) -> str:
        """Add a constant; return the name that it got."""
        name = self.new(name)
        self._added.append(self._onnx.numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def stored_shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an added constant."""
        return next(tuple(tensor.dims) for tensor in self._added if tensor.name == name)

    def keep(self, node: Any, output: str | None = None) -> None:
        """Write a node as it is, or with its first output under another name."""
        self._written.append(copied := type(node)())
        copied.CopyFrom(node)
        if output is not None:
            copied.output[0] = output

    def write(self, op: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        """Write a new node; return its first output."""
        self._written.append(self._onnx.helper.make_node(op, inputs, outputs, **attributes))
        return outputs[0]

    def finish(self) -> bytes:
        """Return the model of the written nodes, without what nothing reads any more."""
        graph = self._model.graph
        needed = {output.name for output in graph.output}
        kept = []
        for node in reversed(self._written):
            if needed & set(node.output):
                needed.update(_reads(node))
                kept.append(node)
        constants = [t for t in (*graph.initializer, *self._added) if t.name in needed]
        del graph.node[:], graph.value_info[:], graph.initializer[:]
        graph.node.extend(reversed(kept))
        graph.initializer.extend(constants)
        return cast("bytes", self._model.SerializeToString(deterministic=True))


def _reads(node: Any) -> Iterator[str]:
    """Yield what a node reads, also from within its own graphs."""
    yield from node.input
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            for graph in graphs(inner):
                for part in graph.node:
                    yield from part.input
                yield from (output.name for output in graph.output)
