"""Plain torch networks: shapes of graphs that tracing has to follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tests.unit.compress.prepared import prepared
from tests.unit.models.tiny import randomise
from torch import nn


class Flattened(nn.Module):
    """Several features per filter after the flatten."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.b = nn.Conv2d(4, 6, 3, stride=2)
        self.hidden = nn.Linear(6 * 3 * 3, 10)
        self.head = nn.Linear(10, 2)

    def forward(self, x: Any) -> Any:
        x = torch.relu(self.b(torch.relu(self.norm(self.a(x)))))
        return self.head(torch.relu(self.hidden(x.flatten(1))))


class Residual(nn.Module):
    """A residual stream with a depthwise convolution, and a concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.inner = nn.Conv2d(8, 6, 3, padding=1)
        self.outer = nn.Conv2d(6, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.left = nn.Conv2d(8, 5, 1)
        self.right = nn.Conv2d(8, 4, 1)
        self.head = nn.Linear(9, 2)

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        x = x + self.norm(self.outer(torch.relu(self.inner(x))))
        left = torch.relu(self.left(self.depthwise(x)))
        return self.head(torch.cat([left, self.right(x)], 1).mean((2, 3)))


class Convolutional(nn.Module):
    """The last convolution's filters are the classes."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3)
        self.b = nn.Conv2d(4, 2, 3)

    def forward(self, x: Any) -> Any:
        return self.b(torch.relu(self.a(x))).mean((2, 3))


SIDE = 8


def adopted(network: Callable[[], nn.Module], seed: int = 0) -> Any:
    from prunegate.models.cnn import adopt

    made = network()
    randomise(made, seed)
    return adopt(made, torch.zeros(1, 3, SIDE, SIDE), network)


def filters(amount: Any) -> Any:
    """A step that removes filters by magnitude."""
    return prepared(prune={"what": "filters", "amount": amount, "criterion": "magnitude"})
