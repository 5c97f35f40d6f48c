"""Rows about a random centre for each class, and what they add up to."""

import torch

from evergrow.analytic.feature_statistics import FeatureStatistics


def blobs(sizes, width=12, spread=12.0, seed=0):
    """int8 rows about a random centre for each class, with correlated noise."""
    rng = torch.Generator().manual_seed(seed)
    centres = torch.randn(len(sizes), width, generator=rng) * 18
    mixing = torch.randn(width, width, generator=rng) / width**0.5
    y = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    noise = torch.randn(len(y), width, generator=rng) @ mixing
    q = (centres[y] + spread * noise).round().clamp(-127, 127).to(torch.int8)
    return q, y


def summed(q, y, k, keep=20):
    stats = FeatureStatistics(q.shape[1], keep)
    stats.grow(k)
    stats.add(q, y)
    return stats
