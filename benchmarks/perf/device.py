"""Ratios G2, G4 and G10 of the torch environments on a CUDA device."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

import coopgym
from coopgym.benchmarks.perf.measure import Ratio, compare, ratio_of

DYAD = "TrustDilemma-v1"
BATCH = 4096
LARGEST_BATCH = 2**20
STEPS = 100


def _require_cuda() -> None:
    if not torch.cuda.is_available():
        raise ValueError("ratios G2, G4 and G10 need a CUDA device, and torch sees none; leave them out here")


def _stepper(id: str, batch: int, device: str, *, compile: bool) -> Callable[[], float]:
    """Environment steps per second of wall time, the device's queue included."""
    env = coopgym.torch_env(id, batch, device, actions="units", compile=compile, validate=False)
    env.reset(seed=0)
    actions = env.game.endowments.expand(batch, -1) / 2.0

    def measure() -> float:
        _finish(device)
        begin = time.perf_counter()
        for _ in range(STEPS):
            env.step(actions)
        _finish(device)
        return STEPS * batch / (time.perf_counter() - begin)

    return measure


def _finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def g2(quick: bool = False) -> Ratio:
    """What fusing the step brings on the device."""
    _require_cuda()
    return compare(
        _stepper(DYAD, BATCH, "cuda", compile=True), _stepper(DYAD, BATCH, "cuda", compile=False), quick,
        id="G2", title="GPU: compiled ÷ eager, batch 4,096", unit="env steps/s", floor=3.0, aim=10.0,
    )  # fmt: skip


def g4(quick: bool = False) -> Ratio:
    """The device at its best against one CPU core at its best."""
    _require_cuda()
    torch.set_num_threads(1)
    return compare(
        _stepper(DYAD, LARGEST_BATCH, "cuda", compile=True), _stepper(DYAD, BATCH, "cpu", compile=True), quick,
        id="G4", title="best GPU ÷ best of one CPU core", unit="env steps/s", floor=100.0, aim=1000.0,
    )  # fmt: skip


def g10(quick: bool = False) -> Ratio:
    """Largest relative error of rewards, single precision on the device against double on the CPU, all games."""
    _require_cuda()
    worst = max(_single_precision_error(id, "cuda") for id in coopgym.games())
    return ratio_of(
        [(worst, 1.0)],
        id="G10", title="GPU fp32 against CPU fp64: largest relative error", unit="relative error", floor=1e-3,
        aim=1e-4, at_most=True,
    )  # fmt: skip


def _single_precision_error(id: str, device: str, batch: int = 16) -> float:
    exact = coopgym.torch_env(id, batch, "cpu", actions="units", dtype=torch.float64, validate=False)
    single = coopgym.torch_env(id, batch, device, actions="units", dtype=torch.float32, validate=False)
    exact.reset(seed=0)
    single.reset(seed=0)
    rng, worst = np.random.default_rng(0), 0.0
    for _ in range(min(STEPS, exact.game.spec.horizon)):
        shares = rng.random((batch, exact.game.n_agents)).astype(np.float32)
        actions = torch.as_tensor(shares * exact.game.spec.endowments.astype(np.float32))
        expected = exact.step(actions.double())[1]
        given = single.step(actions.to(device))[1].cpu().double()
        worst = max(worst, float(((given - expected).abs() / expected.abs().clamp(min=1.0)).max()))
    return worst
