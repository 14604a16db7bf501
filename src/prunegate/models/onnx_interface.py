"""The interface of an ONNX graph that others made: which input is what, in which layout and form.

What the graph says is taken from it: names, types, fixed sizes, whether it ends in a softmax. What
it leaves open has to be said by the policy (``inputs``, ``layout``, ``output``, ``activation``),
and what both say has to agree. Nothing is guessed from weights or values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.activation import SEVERAL_LABELS, Activation
from prunegate.models.family import Answers, Reads
from prunegate.models.onnx_file import edge
from prunegate.policy.model_source import ModelSource

Layout = Literal["NCHW", "NHWC"]
_TEXT_ROLES = ("input_ids", "attention_mask", "token_type_ids")
_ALIASES = {"input_mask": "attention_mask", "segment_ids": "token_type_ids"}
_WHOLE = ("INT64", "INT32")
_FLOAT = ("FLOAT", "FLOAT16", "DOUBLE")
_PASSED = frozenset(
    {
        *("Identity", "Cast", "Reshape", "Squeeze", "Flatten", "Unsqueeze", "Dropout"),
        *("QuantizeLinear", "DequantizeLinear", "Clip", "Gather", "Slice"),
    }
)
"""Operators that leave an answer what it is, or take some of its numbers."""
_LINEAR = frozenset({"MatMul", "Gemm", "Conv", "Add", "Mul", "FusedMatMul", "QLinearMatMul"})
"""Operators that a logit comes out of."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """One input or output of a graph."""

    name: str
    type: str
    """onnx's name of its number format: FLOAT, INT64."""
    dims: tuple[int | None, ...]
    """Its shape; None: free."""


@dataclass(frozen=True, kw_only=True)
class Interface:
    """How a graph is called, and what it answers."""

    reads: Reads
    answers: Answers
    inputs: Mapping[str, Port]
    """By what they are: pixel_values; input_ids, attention_mask, token_type_ids."""
    output: str
    activation: Activation
    """What makes probabilities of its answers; none: they are."""
    layout: Layout = "NCHW"
    channels: Literal["RGB", "BGR"] = "RGB"
    columns: int | None = None
    """Numbers that it answers a row with; None: free."""
    told: bool = True
    """Whether policy, config.json or the end of the graph says what its answers are; of several
    classes, the parts of a softmax would not."""

    @property
    def batch(self) -> int | None:
        """Rows that every call takes; None: any number."""
        return next(iter(self.inputs.values())).dims[0]

    @property
    def length(self) -> int | None:
        """Tokens that every text has to have; None: any number."""
        return self.inputs["input_ids"].dims[1] if self.reads == "texts" else None

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of its images; None: free, or none."""
        if self.reads != "images":
            return None
        dims = self.inputs["pixel_values"].dims
        height, width = dims[2:] if self.layout == "NCHW" else dims[1:3]
        return None if height is None or width is None else (height, width)


def interface_of(
    model: Any, name: str, said: ModelSource, config: Mapping[str, Any] | None = None
) -> Interface:
    """Read the interface of an ``onnx.ModelProto``.

    Args:
        model: the graph.
        name: what errors call it.
        said: what the policy says of it.
        config: the content of the config.json beside it.

    Raises:
        ModelError: graph and policy contradict each other, or neither says what is what.
        UnsupportedError: inputs that images and texts do not have.
    """
    stored = {tensor.name for tensor in model.graph.initializer}
    ports = [_port(value) for value in model.graph.input if value.name not in stored]
    inputs = _named(ports, name, said.inputs)
    reads: Reads = "images" if "pixel_values" in inputs else "texts"
    output = _output(model, name, said.output)
    port = next(_port(value) for value in model.graph.output if value.name == output)
    columns = _columns(port)
    several = (config or {}).get("problem_type") == SEVERAL_LABELS
    last = _last_operator(model, output)
    ends = last in ("Softmax", "Sigmoid")
    activation: Activation = "sigmoid" if several or columns == 1 else "softmax"
    return Interface(
        reads=reads,
        answers="next token" if reads == "texts" and len(port.dims) == 3 else "classes",
        inputs=inputs,
        output=output,
        activation=said.activation or ("none" if ends else activation),
        layout=_layout(inputs["pixel_values"], name, said.layout) if reads == "images" else "NCHW",
        channels=said.channels,
        columns=columns,
        told=said.activation is not None or ends or several or (columns == 1 and last in _LINEAR),
    )


def _columns(port: Port) -> int | None:
    """Numbers of an answer: of [B, C], of [B, C, 1, 1] as convolutions leave them, of [B]."""
    if len(port.dims) < 2:
        return 1 if port.dims else None
    return port.dims[1] if set(port.dims[2:]) == {1} else port.dims[-1]


def _port(value: Any) -> Port:
    tensor = value.type.tensor_type
    return Port(
        name=value.name,
        type=edge("onnx").TensorProto.DataType.Name(tensor.elem_type),
        dims=tuple(
            dim.dim_value if dim.WhichOneof("value") == "dim_value" and dim.dim_value > 0 else None
            for dim in tensor.shape.dim
        ),
    )


def _named(ports: list[Port], name: str, said: Mapping[Any, str]) -> dict[str, Port]:
    """What every input is: as the policy says, else as its name, form and number tell."""
    by_name = {port.name: port for port in ports}
    if missing := sorted(set(said.values()) - by_name.keys()):
        raise ModelError(
            f"{name}: has no input {missing[0]!r}; it has {', '.join(by_name)}. Correct 'inputs'."
        )
    found = {role: by_name.pop(given) for role, given in said.items()}
    for port in by_name.values():
        role = _role(port, alone=len(ports) == 1)
        if role is None or role in found:
            raise UnsupportedError(
                f"{name}: what its input {port.name!r} ({port.type} {list(port.dims)}) takes is "
                "not known; say it in the policy, such as 'inputs: {pixel_values: NAME}' "
                f"(pixel_values, {', '.join(_TEXT_ROLES)}; --input-name where a command has it), "
                "or export the model without it."
            )
        found[role] = port
    _require_form(found, name)
    return found


def _role(port: Port, *, alone: bool) -> str | None:
    if len(port.dims) == 4 and port.type in _FLOAT:
        return "pixel_values"
    if len(port.dims) != 2 or port.type not in _WHOLE:
        return None
    plain = port.name.partition(":")[0]
    plain = _ALIASES.get(plain, plain)
    if plain in _TEXT_ROLES:
        return plain
    return "input_ids" if alone else None


def _require_form(found: Mapping[str, Port], name: str) -> None:
    roles = set(found)
    if roles != {"pixel_values"} and not ({"input_ids"} <= roles <= set(_TEXT_ROLES)):
        raise UnsupportedError(
            f"{name}: takes {', '.join(sorted(roles)) or 'nothing'}; models of pixel_values, or of "
            "input_ids with or without attention_mask and token_type_ids, can be judged."
        )
    for role, port in found.items():
        rank, types = (4, _FLOAT) if role == "pixel_values" else (2, _WHOLE)
        if len(port.dims) != rank or port.type not in types:
            raise UnsupportedError(
                f"{name}: input {port.name!r} is {port.type} {list(port.dims)}; as {role} it has "
                f"to be {' or '.join(types)} with {rank} axes."
            )


def _layout(port: Port, name: str, said: Layout | None) -> Layout:
    channels_first, channels_last = port.dims[1] == 3, port.dims[3] == 3
    if port.dims[1] not in (3, None) and not channels_last:
        raise UnsupportedError(
            f"{name}: input {port.name!r} is {list(port.dims)}; images have three channels."
        )
    able: set[Layout] = set()
    if port.dims[1] in (3, None):
        able.add("NCHW")
    if port.dims[3] in (3, None):
        able.add("NHWC")
    if channels_first != channels_last:
        able = {"NCHW"} if channels_first else {"NHWC"}
    if said is not None and said not in able:
        raise ModelError(
            f"{name}: input {port.name!r} is {list(port.dims)}, which is not {said}; correct "
            "'layout'."
        )
    if said is None and len(able) != 1:
        raise ModelError(
            f"{name}: the shape of {port.name!r}, {list(port.dims)}, does not say where its "
            "channels are; add 'layout: NCHW' or 'layout: NHWC' to the model in the policy "
            "(--layout where a command has it)."
        )
    return said or able.pop()


def _output(model: Any, name: str, said: str | None) -> str:
    names = [value.name for value in model.graph.output]
    floats = [v.name for v in model.graph.output if _port(v).type in _FLOAT]
    if said is not None:
        if said not in floats:
            raise ModelError(
                f"{name}: has no output {said!r} of numbers; it has {', '.join(names)}. Correct "
                "'output'."
            )
        return said
    if "logits" in floats or len(floats) == 1:
        return "logits" if "logits" in floats else floats[0]
    raise ModelError(
        f"{name}: outputs {', '.join(names)}; say which holds the classes: 'output: NAME' beside "
        "'onnx' in the policy (--output-name where a command has it)."
    )


def _last_operator(model: Any, output: str) -> str:
    """The last operator that changes an answer; empty: there is none."""
    makers = {made: node for node in model.graph.node for made in node.output}
    node = makers.get(output)
    while node is not None and node.op_type in _PASSED:
        node = makers.get(node.input[0])
    return "" if node is None else str(node.op_type)
