"""Learning ratios C8 and C9: our IPPO against stable-baselines3's PPO, and stacked against sequential replicas.

All run on one thread, so that CPU time is comparable, with 64 environments of one episode per block and minibatches of
64 samples per network.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from algorithms.marl import IPPO
from benchmarks.perf.measure import ALTERNATIONS, QUICK_ALTERNATIONS, Ratio, alternate, rate

GAME = "TeamProduction-v1"
SEATS, HORIZON = 4, 100
COPIES = 64
BLOCK = COPIES * HORIZON
MINIBATCH = 64
EPOCHS = 4
HIDDEN = (64, 64)
REPLICAS = 8


def _our_ppo(seeds: range, epochs: int = EPOCHS) -> Callable[[], object]:
    """One block of training with a replica per seed."""
    torch.set_num_threads(1)
    learner = IPPO(hidden=HIDDEN, num_envs=COPIES, epochs=epochs, minibatches=BLOCK // MINIBATCH)
    return lambda: learner.train(GAME, ["private"], seeds, BLOCK)


def _reference_ppo() -> Callable[[], object]:
    """One block of training with stable-baselines3, all seats sharing one network."""
    from stable_baselines3 import PPO

    from coopgym.interfaces.sb3 import seat_vec_env

    learner = PPO(
        "MlpPolicy",
        seat_vec_env(GAME, COPIES, reward="private"),
        n_steps=HORIZON,
        batch_size=MINIBATCH,
        n_epochs=EPOCHS,
        policy_kwargs={"net_arch": list(HIDDEN)},
        device="cpu",
        seed=0,
    )
    return lambda: learner.learn(BLOCK * SEATS)


def c8(quick: bool = False) -> Ratio:
    """Agent-steps per CPU second: our IPPO against stable-baselines3's PPO over seats."""
    ours, theirs = _our_ppo(range(1)), _reference_ppo()
    top, bottom, ratio, spread = alternate(
        lambda: rate(ours, 1, BLOCK * SEATS),
        lambda: rate(theirs, 1, BLOCK * SEATS),
        QUICK_ALTERNATIONS if quick else ALTERNATIONS,
    )
    return Ratio(
        "C8", "IPPO ÷ SB3 PPO: same game, network, epochs, minibatch", top, bottom, ratio, spread, "agent-steps/s", 3.0, 8.0
    )  # fmt: skip


def c9(quick: bool = False) -> Ratio:
    """Agent-steps per CPU second: eight replicas stacked against the same eight one after the other."""
    stacked = _our_ppo(range(REPLICAS), epochs=1)
    alone = [_our_ppo(range(seed, seed + 1), epochs=1) for seed in range(REPLICAS)]

    def sequential() -> None:
        for train in alone:
            train()

    top, bottom, ratio, spread = alternate(
        lambda: rate(stacked, 1, REPLICAS * BLOCK * SEATS),
        lambda: rate(sequential, 1, REPLICAS * BLOCK * SEATS),
        QUICK_ALTERNATIONS if quick else ALTERNATIONS,
    )
    return Ratio(
        "C9", "eight stacked replicas ÷ sequential, minibatch 64", top, bottom, ratio, spread, "agent-steps/s", 1.5, 3.0
    )  # fmt: skip
