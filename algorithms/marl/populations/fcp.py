"""Fictitious co-play: first a population of self-play teams, then one policy that answers to all of them.

Source: Strouse et al. 2021, "Collaborating with Humans without Human Data".

Stage 1 trains teams in self-play that differ by their initial weights and their noise. Of each team three policies
stay: the initial one, the one half-way between first and last return, and the final one. Stage 2 trains the ego, in one
seat of every copy, with one of these partners in the others; seats and partners are drawn anew for every block. Both
stages spend one budget: the copies are shared out among the teams, and a joint step of any team counts as any other.
The ego is the result; until stage 2 begins, it has not learned.

Some copies of stage 2 teach nothing: in them the ego meets teams that it never trained with, or itself. They report
how well it plays with strangers.

Deviations: partners play their best guess, since the noise of untrained ones ruins trust whatever the ego does, and
that variance drowns what the ego could learn; a team is one policy for all seats, told the seat; in a mixed form every
other seat has its own partner; with ``objective="individual"`` the ego answers for its own reward.

Shapes: R replicas, n seats, T steps and B environment copies of a block, P teams, m examined copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.on_policy.ppo import PPOSettings
from coopgym.algorithms.marl.populations.shared_policy_ppo import (
    Players,
    PolicyPool,
    SharedPolicyPPO,
    SharedPolicySeats,
    SharedPolicySettings,
)


@dataclass(frozen=True, kw_only=True)
class FCP(SharedPolicySettings, PPOSettings, ReplicaLearner):
    """Fictitious co-play.

    Attributes:
        num_envs: environment copies B, a multiple of all teams.
        final_sigma: higher than usual; below it, partners drown what an action changes.
        teams: teams that the ego trains with.
        strangers: further teams, which it only meets to be examined.
        population_share: share of the budget that the population takes.
        examined: copies of stage 2 in which the ego meets strangers, and as many in which it meets itself.
        mixed: give every other seat a partner of its own instead of one partner to all of them.
        marks: points of stage 1 at which the teams' policies are kept to choose from.
    """

    sources: ClassVar[str] = "Strouse et al. 2021"
    min_agents: ClassVar[int] = 2

    num_envs: int = hyperparameter(40, 1)
    final_sigma: float = hyperparameter(0.05, 0.0, 0.5, above_low=True)
    teams: int = hyperparameter(8, 1)
    strangers: int = hyperparameter(2, 1)
    population_share: float = hyperparameter(0.4, 0.0, 1.0)
    examined: int = hyperparameter(4, 1)
    mixed: bool = False
    marks: int = hyperparameter(32, 2)

    def __post_init__(self) -> None:
        super().__post_init__()
        population = self.teams + self.strangers
        if self.num_envs % population:
            raise ValueError(
                f"num_envs={self.num_envs}: expected a multiple of teams + strangers = {population}, which share them"
            )
        if 2 * self.examined >= self.num_envs:
            raise ValueError(f"examined={self.examined}: expected less than half of num_envs={self.num_envs}")
        if not 0.0 < self.population_share < 1.0:
            raise ValueError(f"population_share={self.population_share}: expected a share between 0 and 1")

    def agent_learner(self, context: Context) -> FCPSeats:
        if len(context.seats) < 2:
            raise ValueError(f"FCP with seats {list(context.seats)}: expected two at least, for the ego and a partner")
        return FCPSeats(self, context)


class FCPSeats(SharedPolicySeats):
    """A population and an ego per replica."""

    def __init__(self, settings: FCP, context: Context) -> None:
        super().__init__(settings, context)
        self.settings = settings
        self.population = settings.teams + settings.strangers
        own_copies = context.copies // self.population
        self.team_slots = self.slots.numbers.unflatten(2, (-1, own_copies)).transpose(1, 2).flatten(2)  # (R, P, n·B/P)
        self.living = context.alive.repeat_interleave(self.population)
        """``(R·P,)`` the freeze of the teams."""
        team_size, self.partnered = self.team_slots.shape[2], context.copies - 2 * settings.examined
        self.teams = self.keep("teams", SharedPolicyPPO(settings, context, self.population, team_size, self.living))
        self.ego = self.keep("ego", SharedPolicyPPO(settings, context, 1, self.partnered, context.alive))
        self.history = self.keep("history", History(self.teams.networks.policy(), settings.marks))

    def begin(self, progress: float) -> None:
        stage, progress = self._stage(progress)
        if stage == 1:
            self.living.copy_(self.context.alive.repeat_interleave(self.population))
            self.learner, self.own, self.players = self.teams, self.team_slots, []
            self.teams.begin(progress)
            return
        self.history.close(self.teams.networks.policy())
        self.learner = self.ego
        self.ego.begin(progress)
        dealt, examined = self.slots.dealt(), self.settings.examined  # (R, n, B)
        usual, strange, alone = dealt.split([self.partnered, examined, examined], dim=2)
        self.own = usual[:, :1].flatten(1).unsqueeze(1)  # (R, 1, B - 2m)
        self.among_strangers, self.with_itself = strange[:, :1], alone  # (R, 1, m), (R, n, m)
        again = torch.cat([self.among_strangers.flatten(1), self.with_itself.flatten(1)], dim=1).unsqueeze(1)
        others = torch.cat([self._partners_slots(usual[:, 1:]), strange[:, 1:].transpose(1, 2)], dim=1)
        self.players = [
            Players.guessing(self._partners(), others, self.context, self.activation),
            Players.drawn(self.ego.policy, again, self.context, self.activation),
        ]

    def _stage(self, progress: float) -> tuple[int, float]:
        """Return the stage, 1 or 2, and the progress in it."""
        share = self.settings.population_share
        return (1, progress / share) if progress < share else (2, (progress - share) / (1.0 - share))

    def _partners_slots(self, slots: Tensor) -> Tensor:
        """Deal the partnered copies' slots ``(R, n - 1, B - 2m)`` to the partners, ``(R, B - 2m, n - 1)``."""
        of_copies = slots.transpose(1, 2)
        if not self.settings.mixed:
            return of_copies
        order = self.context.streams.shuffles(1, of_copies[0].numel())[:, 0]
        return of_copies.flatten(1).gather(1, order).view_as(of_copies)

    def _partners(self) -> dict[str, Tensor]:
        """Draw a team's first, middle or final policy per partnered copy, a stranger's final one per examined copy."""
        settings, streams = self.settings, self.context.streams
        known = streams.integers(3 * settings.teams, (self.partnered,))
        strangers = settings.teams + streams.integers(settings.strangers, (settings.examined,))
        met = torch.cat([known, 3 * strangers + 2], dim=1)  # (R, B - m)
        replica = torch.arange(len(met), device=met.device).unsqueeze(1)
        kept = self.history.three()
        return {name: kept[name].view(len(met), -1, *kept[name].shape[2:])[replica, met] for name in kept}

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        """Improve the teams, or the ego."""
        stage, progress = self._stage(progress)
        learned = self.slots.block(block, self.own)
        metrics = self.learner.update(learned, progress)
        if stage == 1:
            self.context.alive.logical_and_(self.living.unflatten(0, (-1, self.population)).all(1))
            self.history.mark(progress, self.teams.policy, learned.signal.flatten(1).mean(1))
            return {name: values.unflatten(0, (-1, self.population)).mean(1) for name, values in metrics.items()}
        reward = block.reward.mean(2).flatten()  # (R·n·B,)
        with_strangers, with_itself = (
            reward[met].flatten(1).mean(1) for met in (self.among_strangers, self.with_itself)
        )
        return {
            **metrics,
            "reward_with_partners": reward[self.own].flatten(1).mean(1),
            "reward_with_strangers": with_strangers,
            "reward_with_itself": with_itself,
            "reward_gap": with_itself - with_strangers,
        }

    @property
    def gradient_updates(self) -> int:
        return max(self.teams.gradient_updates, self.ego.gradient_updates)

    def policy_tensors(self) -> dict[str, Tensor]:
        return self.ego.policy_tensors()


class History(PolicyPool):
    """Policies of teams at even marks of their training and at its end, and the returns that they had.

    Args:
        policy: parameters ``(R·P, 1, ...)`` of one policy per team.
        marks: number of marks.
    """

    def __init__(self, policy: Mapping[str, Tensor], marks: int) -> None:
        super().__init__(policy, marks + 1)
        some = next(iter(policy.values()))
        self.returns = torch.zeros(len(some), marks, device=some.device)
        """``(R·P, marks)`` per step."""
        self.kept = torch.zeros(marks + 1, dtype=torch.bool, device=some.device)

    def mark(self, progress: float, policy: Mapping[str, Tensor], returns: Tensor) -> None:
        """Keep policies and their returns ``(R·P,)`` if they are the first at their mark."""
        marks = self.returns.shape[1]
        if not self.kept[index := min(int(progress * marks), marks - 1)]:
            self.store(index, policy)
            self.returns[:, index] = returns
            self.kept[index] = True

    def close(self, policy: Mapping[str, Tensor]) -> None:
        """Keep the final policies, once."""
        if not self.kept[-1]:
            self.store(-1, policy)
            self.kept[-1] = True

    def three(self) -> dict[str, Tensor]:
        """Return the first policy, the one half-way from first to last return, and the final one, ``(R·P, 3, ...)``."""
        marks = self.kept[:-1].nonzero().squeeze(1)
        returns = self.returns[:, marks]
        middle = (returns[:, :1] + returns[:, -1:]) / 2.0
        half = marks[(returns - middle).abs().nan_to_num(torch.inf).argmin(1)]
        return self.take(torch.stack([torch.zeros_like(half), half, torch.full_like(half, len(self.kept) - 1)], dim=1))

    def state(self) -> dict[str, Tensor]:
        return super().state() | {"returns": self.returns, "kept": self.kept}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        super().restore(state)
        self.returns.copy_(state["returns"])
        self.kept.copy_(state["kept"])
