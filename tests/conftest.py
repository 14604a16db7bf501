"""What holds for every test: nothing is fetched, and nothing depends on this machine's settings."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ.pop("SOURCE_DATE_EPOCH", None)

from hypothesis import HealthCheck, settings

settings.register_profile(
    "prunegate",
    deadline=None,  # timings belong in benchmarks
    derandomize=True,  # a failure in CI is a failure everywhere
    suppress_health_check=[HealthCheck.too_slow],  # two shared cores
)
settings.load_profile("prunegate")
