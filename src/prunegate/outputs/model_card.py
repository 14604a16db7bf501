"""Model card: a candidate's README.md in Hugging Face's form, with its results slice by slice.

The head is YAML with a ``model-index``, as the Hub and ``huggingface_hub`` read it; what follows is
for people. It is a view of one record: the same record gives the same bytes, and it says of itself
which record that is. A rejected candidate's card says that it was rejected.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from prunegate.audit.assemble import tuned_in_words
from prunegate.audit.record import DecisionRecord
from prunegate.metrics.checks import is_level
from prunegate.models.digest import CARD_MARK
from prunegate.outputs.markdown import code, prose
from prunegate.outputs.measured_results import MeasuredResult, measured_results
from prunegate.outputs.short_words import ShortWords
from prunegate.report import sentences
from prunegate.report.own_threshold import in_english
from prunegate.report.signers import signers
from prunegate.report.task import traits_of
from prunegate.report.units import is_share
from prunegate.text.escape import named, shorten, visible
from prunegate.text.numbers import NOT_DEFINED, plain
from prunegate.text.time import moment

ROWS = 100
"""Results that have a row for people; the head has all."""
_LONGEST = 400
_COLUMNS = (
    "| slice | metric | baseline → candidate | 95 % interval | result |\n|---|---|---|---|---|"
)
TASK_TYPES = {
    "BertForSequenceClassification": "text-classification",
    "DeiTForImageClassification": "image-classification",
    "DeiTForImageClassificationWithTeacher": "image-classification",
    "Dinov2ForImageClassification": "image-classification",
    "DistilBertForSequenceClassification": "text-classification",
    "ElectraForSequenceClassification": "text-classification",
    "GPT2LMHeadModel": "text-generation",
    "Gemma3ForCausalLM": "text-generation",
    "LlamaForCausalLM": "text-generation",
    "MistralForCausalLM": "text-generation",
    "ModernBertForSequenceClassification": "text-classification",
    "Qwen2ForCausalLM": "text-generation",
    "Qwen3ForCausalLM": "text-generation",
    "ResNetForImageClassification": "image-classification",
    "RobertaForSequenceClassification": "text-classification",
    "SwinForImageClassification": "image-classification",
    "Swinv2ForImageClassification": "image-classification",
    "ViTForImageClassification": "image-classification",
}
"""The Hub's word for what a class of models does."""
_LOAD = {
    "float32": "`prunegate.load_candidate(folder)` builds it; `from_pretrained` cannot.",
    "int8": "`prunegate.load_candidate(folder)` builds it, with eight-bit weights.",
    "onnx": "`model.onnx` runs in onnxruntime without prunegate.",
}


def render_model_card(record: DecisionRecord, digest: str) -> str:
    """The whole README.md.

    Args:
        record: the decision.
        digest: sha256 of the record's canonical bytes, in hexadecimal.
    """
    results = measured_results(record)
    blocks = (
        f"{CARD_MARK}\n# {prose(_title(record))}",
        *_verdict(record),
        *_threshold(record),
        *_table(record, results),
        *_making(record),
        *_limits(record),
        *_names(record, digest),
    )
    return f"---\n{_yaml(_head(record, digest, results))}---\n" + "\n\n".join(blocks) + "\n"


def _title(record: DecisionRecord) -> str:
    given = record.policy.document.get("title")
    return shorten(given if isinstance(given, str) else record.policy.name, _LONGEST)


def _yaml(content: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    writer = YAML(typ="rt", pure=True)
    writer.default_flow_style = False
    writer.width = 10_000
    out = io.StringIO()
    writer.dump(content, out)
    return out.getvalue()


def _head(
    record: DecisionRecord, digest: str, results: tuple[MeasuredResult, ...]
) -> dict[str, Any]:
    head: dict[str, Any] = {"library_name": "prunegate", "tags": ["prunegate", "pruning"]}
    by_slice: dict[str, list[dict[str, Any]]] = {}
    for one in results:
        metric = _metric(one)
        if metric is not None:
            by_slice.setdefault(one.slice, []).append(metric)
    if by_slice:
        index = [_result(record, digest, name, found) for name, found in by_slice.items()]
        head["model-index"] = [{"name": named(record.policy.name), "results": index}]
    return head


def _result(
    record: DecisionRecord, digest: str, slice_name: str, metrics: list[dict[str, Any]]
) -> dict[str, Any]:
    """The results on one slice; the slice stands as the configuration of the data."""
    data = next((one for one in record.inputs if one.role in ("data", "predictions")), None)
    dataset: dict[str, Any] = {
        "type": "prunegate-gate-set",
        "name": named(data.name) if data is not None else "gate set",
        "config": visible(slice_name),
        "split": "gate",
    }
    if data is not None and data.sha256 is not None:
        dataset["revision"] = visible(data.sha256)
    return {
        "task": {"type": task_type(record), "name": _title(record)},
        "dataset": dataset,
        "metrics": metrics,
        "source": {"name": f"prunegate record {digest}", "url": f"urn:prunegate:record:{digest}"},
    }


def task_type(record: DecisionRecord) -> str:
    """The Hub's word for what the models do; ``other`` where the record does not tell."""
    if record.candidate is not None and record.candidate.architecture in TASK_TYPES:
        return TASK_TYPES[record.candidate.architecture]
    return "text-generation" if traits_of(record).documents else "other"


def _metric(one: MeasuredResult) -> dict[str, Any] | None:
    """A metric of the index; None: it has no value here."""
    value = one.first.candidate
    if value is None:
        return None
    args: dict[str, Any] = {"baseline": one.first.baseline, "status": one.status}
    if one.class_label is not None:
        args["class"] = visible(one.class_label)
    for name, ends in (("ci95", one.value_ends), ("change_ci95", one.change_ends)):
        if ends is not None:
            args[name] = list(ends)
    name = sentences.capital(sentences.about(one.first))
    return {"type": visible(one.metric), "name": name, "value": value, "args": args}


def _verdict(record: DecisionRecord) -> Iterator[str]:
    asked = signers(record) if record.outcome == "approve" else ()
    said = prose(sentences.decision(record))
    yield f"**{record.outcome.upper()}** by the gate on {moment(record.created)}. {said}"
    if asked:
        yield "Who has signed, says `prunegate status`; this card does not."
    if record.policy.purpose:
        yield prose(shorten(record.policy.purpose, _LONGEST))
    yield prose(shorten(record.statement, 2 * _LONGEST))


def _table(record: DecisionRecord, results: tuple[MeasuredResult, ...]) -> Iterator[str]:
    """Results for people: what does not hold first."""
    if not results:
        return
    words = ShortWords.of(record)
    order = sorted(results, key=lambda one: sentences.SEVERITY_ORDER.get(one.status, 0))
    rows = "\n".join(_row(one, words) for one in order[:ROWS])
    left = len(order) - ROWS
    more = f"\n\n{left:,} more are in the head of this file." if left > 0 else ""
    yield f"## Results\n\n{_COLUMNS}\n{rows}{more}"


def _row(one: MeasuredResult, words: ShortWords) -> str:
    told = next((f for f in one.findings if f.status == one.status), one.first)
    interval = words.units.range(told)
    if is_share(one.metric) and not is_level(told.check) and interval != NOT_DEFINED:
        interval = f"{interval} points"
    cells = (
        code(one.slice),
        prose(words.metric(one.first)),
        prose(words.change(one.first)),
        prose(plain(interval)),
        prose(sentences.status(told)),
    )
    return f"| {' | '.join(cells)} |"


def _making(record: DecisionRecord) -> Iterator[str]:
    made = record.compression
    if made is None:
        return
    steps = "\n".join(f"- {prose(shorten(step, _LONGEST))}" for step in made.summary)
    if steps:
        yield f"## How it was made\n\n{steps}"
    if made.storage in _LOAD:
        yield f"## How to load it\n\n{_LOAD[made.storage]}"


def _threshold(record: DecisionRecord) -> Iterator[str]:
    """What the candidate has to be shipped with, and how it was chosen."""
    told = in_english(record)
    if told:
        yield prose(" ".join((told, *tuned_in_words(record.tuned))))


def _limits(record: DecisionRecord) -> Iterator[str]:
    limits = [text for text in record.known_limits if text not in tuned_in_words(record.tuned)]
    if limits:
        told = "\n".join(f"- {prose(shorten(text, _LONGEST))}" for text in limits)
        yield f"## What this does not show\n\n{told}"


def _names(record: DecisionRecord, digest: str) -> Iterator[str]:
    """What is meant, by digest."""
    names = [("Record", digest)]
    for role in ("candidate", "baseline"):
        found = record.model_digest(role)
        if found is not None:
            names.append((sentences.capital(role), found))
    for model in filter(None, (record.candidate, record.baseline)):
        for name in model.pickled or ():
            told = "read from a pickle, by torch's weights_only reader"
            names.append((f"Weights of the {prose(named(model.name))}, {told}", name))
    listed = "\n".join(f"- {name}: {code(value)}" for name, value in names)
    yield (
        f"## Names\n\n{listed}\n\nMade by prunegate from that record alone. This file is no part "
        "of the candidate's digest; `prunegate verify record.json` checks the record."
    )
