"""The command, its policy, and the browser that pages are tried in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prunegate_test_tiny import invoke

POLICY = """\
prunegate: 1
name: moderation
title: Unsafe creatives
task: {kind: binary, positive: unsafe, threshold: {baseline: 0.5, candidate: 0.45}}
slices: [{by: content_type}]
evidence: {reference: off}
rules:
  - {metric: recall, max_drop: 0.9, evidence: point}
  - {metric: negative_flip_rate, at_most: 0.9, evidence: point}
data: {columns: {label: label}}
"""


def edge(*words: object) -> Any:
    return invoke("edge", *words, "-q")


def write_texts_model(folder: Path) -> None:
    """A classifier of texts, with a tokenizer as BERT has one."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz0123456789,.!?'日本"]
    words += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"]
    words += ["buy", "now", "the", "day", "##ing", "##s", "free", "shoe"]
    made = Tokenizer(models.WordPiece({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))  # noqa: S106  # no password
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens(words[:4])
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=len(words),
                hidden_size=8,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=8,
                max_position_embeddings=16,
                initializer_range=0.8,
                id2label={0: "ham", 1: "spam"},
            )
        )
    model.save_pretrained(folder)
    made.save(str(folder / "tokenizer.json"))
