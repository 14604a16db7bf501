"""Where an ONNX graph holds weights that can be int8: matrices, filters of convolutions, tables."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from prunegate.compress.onnx_graph import Graph
from prunegate.models.int8_rounding import DOMINANT


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """A product of activations and a stored matrix, with or without a bias."""

    data: str
    """The activations."""
    weight: str
    transposed: bool
    """Stored as [out, in] instead of [in, out]."""
    bias: str | None
    tied: bool
    """The matrix is an embedding table as well."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A convolution with stored filters [out, in, ...]."""

    data: str
    weight: str
    bias: str | None
    answer: str
    """Its result, after the Relu if one follows and nothing else reads what comes before."""


@dataclass(frozen=True, kw_only=True)
class EmbeddingTable:
    """Rows looked up in a stored matrix [rows, width]."""

    weight: str
    rows: str


Site = Matrix | Filter | EmbeddingTable


def find_sites(graph: Graph, embeddings: bool | None) -> dict[str, Site]:
    """Return what to quantize, by the output of its node.

    Args:
        graph: The model.
        embeddings: Whether tables, and matrices tied to them, are among it; None: if tables hold
            more than half of the float weights.
    """
    tables = {n.output[0]: t for n in graph.nodes if (t := _table(graph, n)) is not None}
    names = {table.weight for table in tables.values()}
    if embeddings is None:
        held = sum(prod(graph.shape(name) or (0,)) for name in names)
        embeddings = held > DOMINANT * graph.float_weights()
    found: dict[str, Site] = dict(tables) if embeddings else {}
    for node in graph.nodes:
        site = _filter(graph, node) if node.op_type == "Conv" else _matrix(graph, node, names)
        if site is not None and (embeddings or not (isinstance(site, Matrix) and site.tied)):
            found[node.output[0]] = site
    return found


def _table(graph: Graph, node: Any) -> EmbeddingTable | None:
    if node.op_type != "Gather" or _attributes(node).get("axis", 0) != 0:
        return None
    shape = graph.shape(node.input[0])
    if shape is None or len(shape) != 2:
        return None
    return EmbeddingTable(weight=node.input[0], rows=node.input[1])


def _filter(graph: Graph, node: Any) -> Filter | None:
    if graph.shape(node.input[1]) is None:
        return None
    readers = graph.readers(node.output[0])
    relu = len(readers) == 1 and readers[0] is not None and readers[0].op_type == "Relu"
    return Filter(
        data=node.input[0],
        weight=node.input[1],
        bias=node.input[2] if len(node.input) > 2 else None,
        answer=readers[0].output[0] if relu else node.output[0],
    )


def _matrix(graph: Graph, node: Any, tables: set[str]) -> Matrix | None:
    if node.op_type not in ("MatMul", "Gemm"):
        return None
    attributes = _attributes(node)
    scaled = attributes.get("alpha", 1.0) != 1 or attributes.get("beta", 1.0) != 1
    if scaled or attributes.get("transA", 0):
        return None
    weight, transposed = node.input[1], bool(attributes.get("transB", 0))
    maker = graph.maker(weight)
    if maker is not None and maker.op_type == "Transpose" and node.op_type == "MatMul":
        weight, transposed = maker.input[0], True
    shape = graph.shape(weight)
    if shape is None or len(shape) != 2:
        return None
    bias = node.input[2] if len(node.input) > 2 else None
    return Matrix(
        data=node.input[0],
        weight=weight,
        transposed=transposed,
        bias=bias or None,
        tied=weight in tables,
    )


def _attributes(node: Any) -> dict[str, Any]:
    """Return the numbers among a node's attributes."""
    return {a.name: a.f if a.type == a.FLOAT else a.i for a in node.attribute}
