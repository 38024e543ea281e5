"""Learning ratios C8 and C9: our IPPO against stable-baselines3's PPO, and stacked against sequential replicas.

All run on one thread, so that CPU time is comparable, with 64 environments of one episode per block and minibatches of
64 samples per network.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from coopgym.algorithms.marl import IPPO
from coopgym.benchmarks.perf.measure import Ratio, compare, rate

TEAM, TEAM_SEATS = "TeamProduction-v1", 4
DYAD, DYAD_SEATS = "TrustDilemma-v1", 2
HORIZON = 100
COPIES = 64
BLOCK = COPIES * HORIZON
MINIBATCH = 64
EPOCHS = 4
HIDDEN = (64, 64)
REPLICAS = 8


def _our_ppo(game: str, seeds: range) -> Callable[[], object]:
    """One block of training with a replica per seed."""
    torch.set_num_threads(1)
    learner = IPPO(hidden=HIDDEN, num_envs=COPIES, n_epochs=EPOCHS, n_minibatches=BLOCK // MINIBATCH)
    return lambda: learner.train(game, ["private"], seeds, BLOCK, evaluations=0)


def _reference_ppo() -> Callable[[], object]:
    """One block of training with stable-baselines3, all seats sharing one network."""
    from stable_baselines3 import PPO

    from coopgym.interfaces.sb3 import seat_vec_env

    learner = PPO(
        "MlpPolicy",
        seat_vec_env(TEAM, COPIES, reward="private"),
        n_steps=HORIZON,
        batch_size=MINIBATCH,
        n_epochs=EPOCHS,
        policy_kwargs={"net_arch": list(HIDDEN)},
        device="cpu",
        seed=0,
    )
    return lambda: learner.learn(BLOCK * TEAM_SEATS)


def c8(quick: bool = False) -> Ratio:
    """Agent-steps per CPU second: our IPPO against stable-baselines3's PPO over the four seats of a team."""
    ours, theirs = _our_ppo(TEAM, range(1)), _reference_ppo()
    return compare(
        lambda: rate(ours, 1, BLOCK * TEAM_SEATS), lambda: rate(theirs, 1, BLOCK * TEAM_SEATS), quick,
        id="C8", title="IPPO ÷ SB3 PPO: four agents, minibatch 64", unit="agent-steps/s", floor=3.0, aim=8.0,
    )  # fmt: skip


def c9(quick: bool = False) -> Ratio:
    """Agent-steps per CPU second: eight replicas stacked against the same eight one after the other."""
    stacked = _our_ppo(DYAD, range(REPLICAS))
    alone = [_our_ppo(DYAD, range(seed, seed + 1)) for seed in range(REPLICAS)]

    def sequential() -> None:
        for train in alone:
            train()

    amount = REPLICAS * BLOCK * DYAD_SEATS
    return compare(
        lambda: rate(stacked, 1, amount), lambda: rate(sequential, 1, amount), quick,
        id="C9", title="eight stacked replicas ÷ sequential: two agents, minibatch 64", unit="agent-steps/s",
        floor=1.5, aim=3.0,
    )  # fmt: skip
