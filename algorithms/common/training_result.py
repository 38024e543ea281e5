"""What training returns: policies, curves and the facts of every replica."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from coopgym.algorithms.common.learner_contract import CurvePoint
from coopgym.algorithms.common.trained_agents import POLICIES_FILE, TrainedAgent, policies
from coopgym.algorithms.common.training_record import RECORD_FILE, replica_index
from coopgym.corpus.writer import write_atomically
from coopgym.digests import DIGESTS_FILE, Digest, encode_digests


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """R trained replicas. A replica is named by its position or by ``(reward, seed)``.

    Attributes:
        record: everything but arrays, as JSON values: algorithm, hyper-parameters, game, view, budget and, per
            replica, reward, seed, reward scale, status and curves.
        tensors: policy parameters ``policy.<name>`` ``(R, N, ...)`` and the observation map.
    """

    record: Mapping[str, Any]
    tensors: Mapping[str, npt.NDArray[Any]]

    @property
    def replicas(self) -> list[tuple[str, int]]:
        """``(reward, seed)`` of every replica, rewards slowest."""
        return [(entry["reward"], entry["seed"]) for entry in self.record["replicas"]]

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The learner's hyper-parameters."""
        return dict(self.record["hyperparameters"])

    @property
    def env_steps(self) -> int:
        """Joint steps taken by each replica; B environment copies advance it by B."""
        return int(self.record["env_steps"])

    @property
    def gradient_updates(self) -> int:
        """Gradient updates taken by each network."""
        return int(self.record["gradient_updates"])

    def agents(
        self, replica: int | tuple[str, int] = 0, *, stochastic: bool = False, foreign: bool = False
    ) -> list[TrainedAgent]:
        """Return one agent per seat; ``foreign`` ones also play games of other parameters than they were trained on.

        Raises:
            ValueError: no such replica, or it diverged without leaving a finite policy.
        """
        index = replica_index(self.record, replica)
        return [TrainedAgent(policy, stochastic, foreign) for policy in policies(self.record, self.tensors, index)]

    def agent(
        self, *, reward: str, seed: int, seat: int = 0, stochastic: bool = False, foreign: bool = False
    ) -> TrainedAgent:
        """Return the agent of one seat of one replica, as `agents`.

        Raises:
            ValueError: no such replica or seat.
        """
        agents = self.agents((reward, seed), stochastic=stochastic, foreign=foreign)
        if not 0 <= seat < len(agents):
            raise ValueError(f"seat={seat}: {self.record['game']} has seats 0 to {len(agents) - 1}")
        return agents[seat]

    def curves(self, replica: int | tuple[str, int] = 0) -> list[CurvePoint]:
        """Return ``(env_steps, metric, value)`` in the order of training.

        Metrics per block, means over seats and copies: ``reward`` in the replica's mode and material ``payoff``, per
        agent-step in the game's units; ``cooperation`` as a share of endowment; and the learner's own. Metrics
        ``eval_…`` are those of `Evaluator.results`, at the points that training was asked for.
        """
        return [(step, metric, value) for step, metric, value in self._entry(replica)["curves"]]

    def transcript(self, replica: int | tuple[str, int] = 0) -> Sequence[Mapping[str, Any]]:
        """Return nothing: nobody talked."""
        return ()

    def status(self, replica: int | tuple[str, int] = 0) -> str:
        """Return ``"trained"`` or ``"diverged"``."""
        return "trained" if self.diverged_at(replica) is None else "diverged"

    def diverged_at(self, replica: int | tuple[str, int] = 0) -> int | None:
        """Return the number of steps after which a replica was found to have diverged, or None."""
        step: int | None = self._entry(replica)["diverged_at"]
        return step

    def save(self, path: str | Path) -> None:
        """Write policies (safetensors), record (JSON) and the digests of both to a folder that `load_agents` reads."""
        folder = Path(path)
        arrays = {name: np.ascontiguousarray(tensor) for name, tensor in self.tensors.items()}
        tensors, record = save(arrays), json.dumps(self.record, indent=1).encode()
        digests = {POLICIES_FILE: Digest.of(tensors), RECORD_FILE: Digest.of(record)}
        write_atomically(folder / POLICIES_FILE, tensors)
        write_atomically(folder / DIGESTS_FILE, encode_digests(digests))
        write_atomically(folder / RECORD_FILE, record)  # last: a folder with a record is complete

    def _entry(self, replica: int | tuple[str, int]) -> Mapping[str, Any]:
        entry: Mapping[str, Any] = self.record["replicas"][replica_index(self.record, replica)]
        return entry
