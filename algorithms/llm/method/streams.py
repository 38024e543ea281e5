"""Chance by place: a generator for every purpose and position, so that nothing depends on the order of draws."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, purpose: str, *place: int) -> np.random.Generator:
    """Return the generator of one place; equal places have equal chance.

    Args:
        seed: seed of the training.
        purpose: what the chance is for, e.g. ``"rollout"``.
        place: where, e.g. step, task and member.
    """
    key = (zlib.crc32(purpose.encode()), *place)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
