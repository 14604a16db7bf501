"""What a model's description says of its units, beside what its adapter counts."""

from __future__ import annotations

import pytest
from tests.unit.models.tiny import NAMES, config_of, tiny

from prunegate.models.described_units import units_of

pytestmark = pytest.mark.models


@pytest.mark.parametrize("name", NAMES)
def test_what_a_description_tells_without_a_library_is_what_the_adapter_counts(name: str) -> None:
    """Of sizes that are said, and of transformers' own where they are left out."""
    family = tiny(name).family
    for config in (config_of(name), {"architectures": [family.architecture]}):
        told = units_of(config)
        if told is None:
            assert family.architecture.startswith(("Swin", "ResNet"))
            continue
        whole = family.whole(config)
        assert "layers" in told.kinds
        assert {kind: told.of(kind) for kind in told.kinds} == {
            kind: whole.of(kind) for kind in told.kinds
        }
        assert {"heads", "layers"} <= {*told.kinds} or "num_key_value_heads" not in config


@pytest.mark.parametrize("classes", [None, [], ["A", "B"], ["SomeNetwork"]])
def test_a_description_of_another_class_tells_nothing(classes: object) -> None:
    assert units_of({"architectures": classes, "num_attention_heads": 3}) is None
