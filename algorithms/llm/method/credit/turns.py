"""Methods that give every turn an advantage of its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import core, igpo, matchtir, ppr, prorag, siop
from coopgym.algorithms.llm.kernels.validation import choice
from coopgym.algorithms.llm.method.credit.rewards import Rewarded
from coopgym.algorithms.llm.method.credit.tokens import answer_turn, by_turn
from coopgym.algorithms.llm.method.slots import CreditAssigner
from coopgym.algorithms.llm.play.trajectories import Batch, Credit, Group
from coopgym.typing import BoolArray, FloatArray

Belief = Literal["logprob", "prob"]
Pools = Literal["separate", "joint"]
Singleton = Literal["zero", "raw"]


@dataclass(frozen=True, kw_only=True)
class TurnCredit(Settings, CreditAssigner):
    """One advantage per turn, broadcast to its tokens."""

    @abstractmethod
    def advantages(self, batch: Batch) -> list[FloatArray]:
        """Return the advantage of every turn, N rows ``(T,)``."""

    def assign(self, batch: Batch) -> Credit:
        rows = self.advantages(batch)
        return Credit.single(batch, by_turn(batch, rows), metrics={"malformed_ahead": malformed_ahead(batch, rows)})


@dataclass(frozen=True, kw_only=True)
class IGPO(Rewarded, TurnCredit):
    """A turn earns the rise it causes in the probability of the gold answer (arXiv 2510.14967).

    Attributes:
        gamma: discount of later turns.
        belief: whether gains are of log-probabilities or of probabilities.
        norm: gains and outcomes are standardised apart, or together.
        clip: bound on a standardised gain; gains have none of their own.
        eps: added to standard deviations.
        var_floor: added to variances.
    """

    reads: ClassVar = frozenset({"belief"})
    gamma: float = hyperparameter(1.0, 0.0, 1.0)
    belief: Belief = "logprob"
    norm: Pools = "separate"
    clip: float = hyperparameter(5.0, 0.0, above_low=True)
    eps: float = hyperparameter(1e-6, 0.0)
    var_floor: float = hyperparameter(1e-8, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        choice("belief", self.belief, get_args(Belief))
        choice("norm", self.norm, get_args(Pools))

    def advantages(self, batch: Batch) -> list[FloatArray]:
        # A rollout that wrote nothing has an outcome nevertheless.
        beliefs = [row if len(row) else [0.0] for row in batch.gather("belief")]
        rewards = igpo.turn_rewards(beliefs, self.worth(batch), self.belief)
        scores = igpo.advantages(rewards, batch.group, 0.0, self.norm, self.eps, self.var_floor)
        for row in scores:
            row[:-1] = row[:-1].clip(-self.clip, self.clip)
        returns = (core.turn_returns(row, self.gamma) for row in scores)
        return [row[: len(member.turns)] for row, member in zip(returns, batch.trajectories, strict=True)]


@dataclass(frozen=True, kw_only=True)
class SIOP(TurnCredit):
    """A turn earns the support it adds to its rollout's own cluster of answers; nothing is gold (arXiv 2605.04984).

    Attributes:
        gamma: discount of later turns.
        eta: weight of evidence in what a cluster deserves.
        lam: share of that target which gains stand for; the rest is paid at the end.
        clip: bound on a standardised reward.
        support_floor: added to supports before their logarithm.
        eps: added to the standard deviation.
    """

    reads: ClassVar = frozenset({"ref_logp", "alpha", "cluster", "evidence"})
    gamma: float = hyperparameter(1.0, 0.0, 1.0)
    eta: float = hyperparameter(1.0, 0.0)
    lam: float = hyperparameter(0.5, 0.0, 1.0)
    clip: float = hyperparameter(5.0, 0.0, above_low=True)
    support_floor: float = hyperparameter(1e-8, 0.0)
    eps: float = hyperparameter(1e-6, 0.0)

    def advantages(self, batch: Batch) -> list[FloatArray]:
        for signal in sorted(self.reads):
            batch.gather(signal)
        rewards = [row for group in batch.groups for row in self._rewards(group)]
        scores = siop.advantages(rewards, batch.group, 0.0, self.eps)
        return [core.turn_returns(row.clip(-self.clip, self.clip), self.gamma) for row in scores]

    def _rewards(self, group: Group) -> list[FloatArray]:
        signals = [member.signals for member in group.members]
        target = siop.target([each["cluster"] for each in signals], [each["evidence"] for each in signals], self.eta)
        return [
            siop.turn_rewards(each["ref_logp"], each["alpha"], q, self.lam, self.support_floor)
            if each["cluster"] is not None
            else np.zeros(len(member.turns))
            for member, each, q in zip(group.members, signals, target, strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class MatchTIR(Rewarded, TurnCredit):
    """A turn earns the quality with which its calls match scripted ones, the answer its reward (arXiv 2601.10712).

    Attributes:
        lam: discount of later turns.
        singleton: what is alone at its turn gets, ``"zero"`` or, as published, its ``"raw"`` return.
        eps: added to standard deviations.
    """

    reads: ClassVar = frozenset({"call_reward"})
    lam: float = hyperparameter(0.9, 0.0, 1.0)
    singleton: Singleton = "zero"
    eps: float = hyperparameter(1e-6, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        choice("singleton", self.singleton, get_args(Singleton))

    def advantages(self, batch: Batch) -> list[FloatArray]:
        rewards = [
            matchtir.turn_rewards(calls, answer_turn(member), score)
            for member, calls, score in zip(
                batch.trajectories, batch.gather("call_reward"), self.worth(batch), strict=True
            )
        ]
        return matchtir.advantages(rewards, batch.group, self.lam, self.eps, self.singleton)


@dataclass(frozen=True, kw_only=True)
class ProRAG(Rewarded, TurnCredit):
    """The group's z-score of outcomes plus a weighted z-score of step scores (arXiv 2601.21912).

    Attributes:
        beta: weight of step scores.
        floor: reward below which an answer is worth nothing.
        scale: of rewards above it.
        well_formed: added to the score of a turn that keeps the format.
        malformed: added to the score of any other turn.
        eps: added to the outcome's standard deviation.
        var_floor: added to the variance of step scores.
    """

    reads: ClassVar = frozenset({"step_score", "step_format"})
    beta: float = hyperparameter(0.3, 0.0)
    floor: float = hyperparameter(0.2)
    scale: float = hyperparameter(2.0, 0.0, above_low=True)
    well_formed: float = hyperparameter(1.0)
    malformed: float = hyperparameter(-2.0)
    eps: float = hyperparameter(1e-4, 0.0)
    var_floor: float = hyperparameter(1e-8, 0.0)

    def advantages(self, batch: Batch) -> list[FloatArray]:
        members, worth = batch.trajectories, self.worth(batch)
        outcomes = [
            prorag.outcome_reward(reward, member.format_ok, self.floor, self.scale)
            for member, reward in zip(members, worth, strict=True)
        ]
        scores = [
            self._scored(row, well_formed, reward)
            for row, well_formed, reward in zip(
                batch.gather("step_score"), batch.gather("step_format"), worth, strict=True
            )
        ]
        tokens = [np.array([turn.length for turn in member.turns]) for member in members]
        return prorag.advantages(outcomes, scores, tokens, batch.group, self.beta, self.eps, self.var_floor)

    def _scored(self, scores: Sequence[float | None], well_formed: BoolArray, reward: float) -> FloatArray:
        """Return scores with the format's part; a turn without one, the answer's, is as good as the outcome [ours]."""
        known = np.array([reward if score is None else score for score in scores], dtype=np.float64)
        return known + np.where(well_formed, self.well_formed, self.malformed)


@dataclass(frozen=True, kw_only=True)
class PPRReturns(Rewarded, TurnCredit):
    """Principle process rewards shifted by the outcome, without a critic: returns over turns pooled in the group.

    Attributes:
        gamma: discount of later turns.
        eps: added to the standard deviation.
    """

    reads: ClassVar = frozenset({"step_score"})
    gamma: float = hyperparameter(1.0, 0.0, 1.0)
    eps: float = hyperparameter(1e-6, 0.0)

    def advantages(self, batch: Batch) -> list[FloatArray]:
        rewards = [
            ppr.renorm(scores, outcome)
            for scores, outcome in zip(batch.gather("step_score"), self.worth(batch), strict=True)
        ]
        return siop.advantages(rewards, batch.group, self.gamma, self.eps)


def malformed_ahead(batch: Batch, rows: list[FloatArray]) -> float:
    """Return the share of malformed rollouts whose turns do better on average than those of some well-formed one.

    It should stay near zero: what a turn earns by itself must not make up for a broken format.
    """
    means = np.array([row.mean() if row.size else 0.0 for row in rows])
    fine = np.array([member.format_ok for member in batch.trajectories])
    group = np.array(batch.group)
    ahead = [bool((means[i] > means[fine & (group == group[i])]).any()) for i in np.flatnonzero(~fine)]
    return float(np.mean(ahead)) if ahead else 0.0
