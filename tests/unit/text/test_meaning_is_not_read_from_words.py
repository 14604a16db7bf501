"""Facts are fields: no code finds out what a sentence means by its words."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tests.source import shapes

READS = {
    *("startswith", "endswith", "removeprefix", "removesuffix"),
    *("partition", "rpartition", "rsplit"),
}
SENTENCES = {
    *("note", "method", "remark", "too_few", "unusable", "statement", "reason", "reasons"),
    *("warnings", "known_limits", "sentence", "sentences", "meaning"),
}
"""Attributes that hold words for people."""
FORMATS = {
    "audit/approvals/": "keys, fingerprints and lines of a file of signers",
    "audit/bundle/": "names in an archive, signed notes, proofs",
    "audit/log/": "signed notes, proofs, file names, digests told in part",
    "audit/signing/": "keys, signatures, lines of allowed signers",
    "models/": "names of weights, modules and exceptions of other libraries",
    "policy/yaml/": "YAML",
}
"""Folders that read and write formats of others."""
ALLOWED = {
    "audit/history_read.py": "the bytes of a key",
    "io/worker_process.py": "lines of bytes between two processes",
    "audit/opinion/worker.py": "lines of bytes between two processes",
    "audit/read.py": "the first bytes of a file that claims to be a record",
    "audit/waivers/backing.py": "the payload of an envelope",
    "predict/tokens.py": "a model's text after that of its prompt",
    "claims/architecture.py": "the parts of ViT-B/16",
    "cli/__init__.py": "module:name of a lazy command",
    "cli/audit_read.py": "the type URI of an entry",
    "cli/model_options.py": "pydantic's word before a mistake",
    "cli/verdict_options.py": "arguments that click refuses to take apart",
    "cli/policy.py": "the suffix of a file's name",
    "cli/written_paths.py": "the first bytes of a key or signature",
    "cli/swapped.py": "the ends of files' names",
    "compress/checkpoint.py": "the head of a binary file",
    "compress/export.py": "the first line of another library's error",
    "compress/int8_ranges.py": "the first line of another library's error",
    "compress/scoring/activation.py": "dotted names of modules",
    "compress/scoring/by_criterion.py": "module:name of a class",
    "counting/labelled_part.py": "the zeros that ids begin with",
    "counting/weighing.py": "the ends of columns' names",
    "cost/amounts.py": "digits after a decimal point",
    "cost/memory.py": "the last line of another process' error",
    "cost/memory_process.py": "name: value of /proc",
    "cost/processor.py": "name: value of /proc",
    "cost/rounds.py": "the first line of another library's error",
    "data/contract/contract.py": "the beginning of keyword arguments' names",
    "data/contract/great_expectations.py": "dotted names of modules",
    "data/predictions/class_scores.py": "the beginning of columns' names",
    "data/predictions/csv.py": "the first bytes of a packed file",
    "data/predictions/frames.py": "the first line of another library's error",
    "data/predictions/json_lines.py": "the first bytes of a file that holds no lines",
    "data/predictions/intervals_sql.py": "DuckDB's names of types",
    "data/predictions/spark.py": "the advice at the end of Spark's error",
    "data/predictions/spark_session.py": "the first line of another library's error",
    "data/predictions/spelled.py": "digits after a decimal point",
    "data/labelled/near_duplicates.py": "Pillow's names of 16-bit modes",
    "discovery/open_table.py": "reserved names of columns",
    "outputs/findings_csv.py": "characters that a spreadsheet runs as a formula",
    "outputs/short_words.py": "a unit that two figures share",
    "pipeline/early_scoring.py": "the scheme of a path, and its suffix",
    "pipeline/measure_folders.py": "the first line of another library's error",
    "pipeline/predict_on_spark.py": "the scheme of a path, and its suffix",
    "pipeline/scoring_job.py": "the first line of another library's error",
    "cost/generation_speed.py": "the first line of another library's error",
    "policy/place.py": "the parts of a path",
    "policy/consistency.py": "reserved names of columns",
    "policy/diff_words.py": "a field's path in the policy",
    "policy/messages.py": "a field's path in the policy",
    "policy/naming.py": "the sign that a bin's name begins with",
    "policy/validation.py": "pydantic's types of mistakes",
    "predict/generate.py": "the first line of another library's error",
    "predict/material.py": "the first line of another library's error",
    "predict/preprocessing.py": "names of preprocessors and their fields",
    "predict/processed_images.py": "names of preprocessors",
    "io/file_kinds.py": "what a file is by the end of its name",
    "policy/file_bytes.py": "a record's bytes in a policy's place",
    "report/page_one/stated.py": "metric: side of a stated figure",
    "report/embedded_record.py": "the element of a page that holds its record",
    "report/flips.py": "magic numbers of picture formats",
    "report/forest.py": "key=value names of slices, which labels share",
    "report/headline.py": "a unit that two figures share",
    "report/render.py": "name:template of a section",
    "report/sentences.py": "key=value; a full stop; the request that a note repeats whole",
    "report/speech.py": "an amount's currency and a figure's unit",
    "report/svg.py": "names and values of SVG attributes",
    "report/verify_page.py": "a digest that a page tells in part",
    "text/escape.py": "Unicode's names of characters",
    "text/money.py": "digits after a decimal point",
    "text/numbers.py": "digits, signs and the letter p of its own figures",
    "text/said.py": "the unit of a figure",
    "text/quantities.py": "a sign or unit of its own figures",
    "verdict/advice.py": "the request at the end of its own note",
    "verdict/sentences.py": "the full stop of its own sentence",
}
"""Files that take something apart that is no sentence, and what."""


def methods(nodes: Iterable[ast.AST]) -> Iterator[ast.Attribute]:
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func


def test_only_formats_are_taken_apart() -> None:
    readers = {name for name, nodes in shapes().items() if READS & {m.attr for m in methods(nodes)}}
    formats = {name for name in readers if name.startswith(tuple(FORMATS))}
    assert readers - formats == set(ALLOWED)
    assert all(any(name.startswith(folder) for name in formats) for folder in FORMATS)


def is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in SENTENCES


def sentences_read(nodes: Iterable[ast.AST]) -> Iterator[int]:
    """Lines that compare, search, count or take apart what was written for people."""
    for node in nodes:
        if isinstance(node, ast.Compare) and any(map(is_sentence, (node.left, *node.comparators))):
            yield node.lineno
        named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if named and node.func.id == "bool" and any(map(is_sentence, node.args)):
            yield node.lineno
    for method in methods(nodes):
        if is_sentence(method.value) and method.attr in {*READS, "find", "index", "split", "count"}:
            yield method.lineno


REQUEST = ("verdict/advice.py", 1)
"""The one place: a note less the request for rows that it ends in, by the whole request."""


def test_no_fact_hangs_on_what_was_written_for_people() -> None:
    found = {name: len(list(sentences_read(nodes))) for name, nodes in shapes().items()}
    assert {name: n for name, n in found.items() if n} == dict([REQUEST])
