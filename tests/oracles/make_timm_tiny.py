"""Makes tests/unit/models/timm_tiny.safetensors: a tiny ViT of timm 1.0.22 and what it computes.

Run where timm 1.0.22 is installed; torchvision, which timm imports and a ViT does not use, is
replaced by stand-ins. The file holds the weights under "state.", an input and its logits; its
metadata hold config.json as timm's own ``save_for_hf`` writes it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "unit" / "models" / "timm_tiny.safetensors"
STAND_INS = (
    "torchvision",
    "torchvision.transforms",
    "torchvision.transforms.functional",
    "torchvision.ops",
    "torchvision.ops.misc",
    "torchvision.models",
    "torchvision.models.feature_extraction",
    "torchvision.datasets",
    "torchvision.datasets.folder",
)


class _Named(type):
    def __getattr__(cls, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return name


def _any(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Named(name, (), {})


def stand_in() -> None:
    for name in STAND_INS:
        module = types.ModuleType(name)
        module.__spec__ = ModuleSpec(name, None, is_package=True)
        module.__path__ = []
        module.__getattr__ = _any  # type: ignore[method-assign]
        sys.modules[name] = module
    sys.modules["torchvision"].__version__ = "0"  # type: ignore[attr-defined]
    sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"]  # type: ignore[attr-defined]


def main() -> None:
    stand_in()
    import timm
    import torch
    from safetensors.torch import save_file
    from timm.models import save_for_hf

    sizes = {
        "img_size": 16,
        "patch_size": 8,
        "embed_dim": 12,
        "depth": 2,
        "num_heads": 3,
        "mlp_ratio": 2,
    }
    torch.manual_seed(0)
    model = timm.create_model("vit_tiny_patch16_224", num_classes=3, **sizes).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.5)
    pixels = torch.randn(4, 3, 16, 16)
    with torch.no_grad():
        logits = model(pixels)
    with tempfile.TemporaryDirectory() as folder:
        save_for_hf(model, folder, model_args=sizes, safe_serialization=True)
        config = json.loads((Path(folder) / "config.json").read_text())
    state = {f"state.{name}": tensor for name, tensor in model.state_dict().items()}
    save_file(
        {**state, "pixels": pixels, "logits": logits},
        TARGET,
        metadata={"config": json.dumps(config), "timm": timm.__version__},
    )


if __name__ == "__main__":
    main()
