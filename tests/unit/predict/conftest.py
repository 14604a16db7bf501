"""Tiny models gain nothing from threads, and threads on a shared machine wait for each other."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
