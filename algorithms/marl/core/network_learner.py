"""The base of learners with networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.marl.core.trainer import ReplicaLearner


@dataclass(frozen=True, kw_only=True)
class NetworkLearner(ReplicaLearner):
    """A learning algorithm whose policies are networks, with the hyper-parameters of all of them.

    Attributes:
        hidden: hidden layer sizes of every network.
        activation: ``"tanh"`` or ``"relu"``, between layers.
        gamma: discount factor γ.
        learning_rate: Adam's step size.
    """

    version: ClassVar[int] = 2
    sources: ClassVar[str]
    """The papers that define the algorithm."""

    hidden: tuple[int, ...] = hyperparameter((64, 64), 1)
    activation: Literal["tanh", "relu"] = "tanh"
    gamma: float = hyperparameter(0.99, 0.0, 1.0)
    learning_rate: float = hyperparameter(1e-3, 0.0, above_low=True)
