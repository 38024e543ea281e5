"""Evaluation curves: what policies on their way would earn if training stopped there, playing their best guesses.

Snapshots of the policies wait and are played together, because an episode of many policies takes little longer than
an episode of one. Nothing here touches the training: episodes are other ones, and so are their random numbers.

Shapes: R replicas, K snapshots, P ≥ K·R policies of each seat, N seats, E episodes, O observation entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from coopgym.algorithms.common.policies import POLICY_KINDS
from coopgym.algorithms.common.random_streams import Replica, Streams
from coopgym.algorithms.common.stacked_networks import ACTIVATIONS, mlp
from coopgym.algorithms.marl.core.environment import Environment, EnvironmentFactory, episode, observation_map
from coopgym.mechanisms.trust import mean_over_pairs
from coopgym.rewards import MODES

STOCHASTIC_EPISODES = 16
"""Episodes per policy where the game draws random numbers; the same draws at every point of a curve."""
SEATS_APART = 8
"""Games of up to this many seats have curves of every seat."""
LANES = 32
"""Policies fill a multiple of this, so that vectorised arithmetic treats each alike, however many there are."""
MOST_WAITING = 2**24
"""Parameters that may wait to be played."""


class Evaluator:
    """Keeps snapshots of policies and plays them.

    Args:
        make: makes environments of the game.
        environment: one of them.
        replicas: what is being trained.
        groups: facts of the policies, as `AgentLearner.policy_facts` returns them.
        device: where episodes are played.
    """

    def __init__(
        self,
        make: EnvironmentFactory,
        environment: Environment,
        replicas: Sequence[Replica],
        groups: Sequence[Mapping[str, Any]],
        device: torch.device,
    ) -> None:
        self.make, self.groups, self.device = make, groups, device
        spec = environment.game.spec
        self.horizon = spec.horizon
        self.n_agents = spec.n_agents
        self.gain, self.offset = (
            torch.as_tensor(part, dtype=torch.float32, device=device).unsqueeze(1)  # (N, 1, O)
            for part in observation_map(environment)
        )
        self.episodes = STOCHASTIC_EPISODES if environment.game.stochastic else 1
        streams = Streams([replica.seed for replica in replicas], f"evaluation {spec.id}", torch.device("cpu"))
        self.seeds = streams.seeds(self.episodes)
        self.waiting: list[tuple[int, dict[str, Tensor]]] = []

    def snapshot(self, env_steps: int, policies: Mapping[str, Tensor]) -> None:
        """Keep a copy of the policies ``(R, n, ...)`` after so many steps."""
        self.waiting.append((env_steps, {name: tensor.detach().clone() for name, tensor in policies.items()}))

    @property
    def full(self) -> bool:
        """Whether enough snapshots wait."""
        return sum(tensor.numel() for _, tensors in self.waiting for tensor in tensors.values()) > MOST_WAITING

    def results(self) -> list[tuple[int, dict[str, Tensor]]]:
        """Play what waits and return steps with metrics ``(R,)``, oldest first.

        ``eval_welfare`` is the sum of payoffs over an episode and all seats, ``eval_return_<mode>`` the same of what
        the mode pays on the same trajectory, ``eval_payoff/<seat>`` a seat's part of the welfare where there are few
        seats, ``eval_cooperation`` the mean share of endowment played, ``eval_trust`` the mean trust at the end.
        """
        if not self.waiting:
            return []
        steps, snapshots = zip(*self.waiting, strict=True)
        self.waiting = []
        together = {name: torch.cat([tensors[name] for tensors in snapshots]) for name in snapshots[0]}
        count = len(next(iter(together.values())))
        padding = -count % LANES
        policies = {
            name: torch.cat([tensor, tensor[-1:].expand(padding, *tensor.shape[1:])])
            for name, tensor in together.items()
        }
        seeds = self.seeds * len(steps) + self.seeds[-self.episodes :] * padding
        played = {
            name: values[:count].view(len(steps), -1).unbind(0) for name, values in self._play(policies, seeds).items()
        }
        return [(step, {name: values[k] for name, values in played.items()}) for k, step in enumerate(steps)]

    @torch.no_grad()
    def _play(self, policies: Mapping[str, Tensor], seeds: list[int]) -> dict[str, Tensor]:
        """Play policies ``(P, n, ...)`` in all three reward modes at once; return metrics ``(P,)``."""
        batch = len(seeds) // self.episodes, self.episodes  # (P, E)
        environment = self.make((len(MODES), *batch), device=self.device, reward=list(MODES), validate=False)
        running = torch.ones(batch, device=self.device)
        returns = torch.zeros(len(MODES), *batch, device=self.device)
        length, trust = torch.zeros(2, *batch, device=self.device)
        payoffs, cooperation = torch.zeros(2, *batch, self.n_agents, device=self.device)

        def act(seen: Tensor) -> Tensor:  # (modes, P, E, N, O)
            share = self._shares(policies, seen[0])
            return share.expand(len(MODES), *share.shape)

        for step in episode(environment, act, seeds * len(MODES), self.horizon):
            returns += step.rewards.sum(-1) * running
            payoffs += step.info["payoffs"][0] * running.unsqueeze(-1)
            cooperation += step.shares[0] * running.unsqueeze(-1)
            length += running
            trust = torch.where(running > 0.0, mean_over_pairs(step.info["final_state"].trust[0]), trust)
            running = running * ~step.ended[0]
        seats = payoffs.unbind(-1) if self.n_agents <= SEATS_APART else ()
        return {
            "eval_welfare": payoffs.sum(-1).mean(-1),
            **{f"eval_return_{mode}": values.mean(-1) for mode, values in zip(MODES, returns, strict=True)},
            "eval_cooperation": (cooperation.mean(-1) / length).mean(-1),
            "eval_trust": trust.mean(-1),
            **{f"eval_payoff/{seat}": values.mean(-1) for seat, values in enumerate(seats)},
        }

    def _shares(self, policies: Mapping[str, Tensor], seen: Tensor) -> Tensor:
        """Return the shares of endowment ``(P, E, N)`` that policies play on observations ``(P, E, N, O)``."""
        inputs = torch.addcmul(self.offset, seen.transpose(1, 2), self.gain)  # (P, N, E, O)
        shares = torch.empty(inputs.shape[:-1], device=self.device)
        for group in self.groups:
            prefix, seats = group["prefix"], list(group["seats"])
            own = {name.removeprefix(prefix): tensor for name, tensor in policies.items() if name.startswith(prefix)}
            layers = sum(name.startswith("weight_") for name in own)
            outputs = mlp(own, layers, inputs[:, seats], ACTIVATIONS[group["activation"]])
            shares[:, seats] = POLICY_KINDS[group["kind"]].best_guess(outputs)
        return shares.transpose(1, 2)
