"""Models: what commands on models load, loaded before the first call; a plugin of its own."""

from __future__ import annotations

from importlib import import_module

import torch

torch.set_num_threads(1)  # threads would not be there in a forked process
for name in ("transformers.models.vit.modeling_vit", "transformers.models.vit.image_processing_vit",
             "torch._dynamo", "prunegate.pipeline.run", "prunegate.search.search"):  # fmt: skip
    import_module(name)
