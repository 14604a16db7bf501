"""Contents: what tells two texts apart, so that what training saw is not judged on.

Texts are compared in Unicode's NFC, as all text here. A document is its prompt and its reference
together: one prompt with two references is two documents.
"""

from __future__ import annotations

import hashlib
import unicodedata

from prunegate.data.labelled_rows import LabelledRows


def text_hashes(rows: LabelledRows) -> tuple[str, ...]:
    """The sha256 of every row's text, lower-case hexadecimal; of prompt and reference, in turn."""
    if rows.reads == "documents":
        pairs = zip(rows.prompts, rows.references, strict=True)
        # A hash each, so that a character cannot move from the one to the other unnoticed.
        return tuple(_sha256(_sha256(prompt) + _sha256(reference)) for prompt, reference in pairs)
    return tuple(map(_sha256, rows.texts))


def _sha256(text: str) -> str:
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()
