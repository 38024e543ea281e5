"""What training leaves: policies as Agents, which play anywhere an Agent plays, curves and the facts of every replica.

Folders hold safetensors and JSON, so they load without torch's pickles.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from coopgym.agents.base import Classifier, Seat
from coopgym.agents.streams import EpisodeDraws
from coopgym.algorithms.common.policies import POLICY_KINDS, Policy, input_map
from coopgym.algorithms.common.policy_tensors import check_tensors
from coopgym.algorithms.common.training_record import (
    RecordedTraining,
    check_record,
    policy_groups,
    read_record,
    replica_index,
)
from coopgym.algorithms.marl.core.observation_history import ObservationHistory
from coopgym.contained_files import contained
from coopgym.digests import check_digests
from coopgym.games.parameters import Parameters
from coopgym.oracles.agents.base import registered_game
from coopgym.record_fields import FieldError
from coopgym.typing import FloatArray

POLICIES_FILE = "policies.safetensors"


class TrainedAgent:
    """A trained policy in its seat.

    Args:
        policy: what to play.
        stochastic: draw actions from the policy instead of playing its best guess.
        foreign: play a game of other parameters than the policy was trained on, too; observations are then brought to
            its inputs by the bounds of the game at hand.
    """

    def __init__(self, policy: Policy, stochastic: bool = False, foreign: bool = False) -> None:
        self.policy = policy
        self.stochastic = stochastic
        self.foreign = foreign
        self.action_logprob: FloatArray | None = None
        """Of the last shares ``(episodes,)``, as `coopgym.agents.Agent.act` has it; None before any was drawn."""
        self._policy = policy
        self._history = ObservationHistory(policy.history)
        self._units: FloatArray | None = None
        self._draws = EpisodeDraws(np.random.default_rng(0), 1)

    @property
    def classifier(self) -> Classifier:
        """What it uses; every observation that it sees tells of one round."""
        depth = math.inf if self.policy.recurrent else self.policy.history
        return Classifier(memory_depth=depth, stochastic=self.stochastic)

    def fresh(self) -> TrainedAgent:
        """Return another agent with the same policy."""
        return TrainedAgent(self.policy, self.stochastic, self.foreign)

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        """Take the seat.

        Raises:
            ValueError: the policy was trained for another game, seat or view, or for other parameters of the game and
                has not been told to play foreign ones.
        """
        policy = self.policy
        if (seat.game.id, seat.index) != (policy.game, policy.seat):
            raise ValueError(
                f"this policy was trained for seat {policy.seat} of {policy.game}, "
                f"it cannot play seat {seat.index} of {seat.game.id}"
            )
        if seat.observation_size != len(policy.gain):
            raise ValueError(
                f"this policy expects observations of {len(policy.gain)} numbers, "
                f"but the {seat.view!r} view has {seat.observation_size}; play it in the view it was trained in"
            )
        differing = _differing(policy.parameters, seat.game.parameters)
        if differing and not self.foreign:
            raise ValueError(
                f"this policy was trained on another {policy.game}: {', '.join(differing)}; train it on the game "
                "that it shall play, or load it with foreign=True to play its shares there all the same"
            )
        if differing:
            low, high = registered_game(seat.game.id, seat.game.parameters).observation_bounds(seat.view)
            gain, offset = input_map(low[seat.index], high[seat.index])
            self._policy = dataclasses.replace(policy, gain=gain, offset=offset)
        else:
            self._policy = policy
        self._history, self._units = ObservationHistory(policy.history), None
        self._draws = EpisodeDraws(rng, episodes)

    def act(self, observation: FloatArray) -> npt.NDArray[np.float64]:
        """Return shares of the endowment ``(episodes,)`` for observations ``(episodes, O)``."""
        seen = self._history.push(np.asarray(observation, dtype=np.float64))
        self._units = self._policy.units(seen, self._units)
        if not self.stochastic:
            return self._policy.share(self._units)
        share, self.action_logprob = self._policy.draw(self._units, self._draws)
        return share


def _differing(trained: Mapping[str, Any], played: Parameters) -> list[str]:
    """Name the parameters in which the game at hand differs from that of the training, with both values."""
    at_hand = json.loads(json.dumps(dataclasses.asdict(played)))
    return [
        f"{name} was {value!r} and is {at_hand.get(name)!r}"
        for name, value in json.loads(json.dumps(trained)).items()
        if value != at_hand.get(name)
    ]


def policies(record: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]], replica: int) -> list[Policy]:
    """Return one policy per seat of a replica.

    Args:
        record: the training record, as `load_agents` reads it.
        tensors: ``policy.<prefix><name>`` ``(R, n, ...)`` of every group of seats, ``observation.gain`` and
            ``observation.offset`` ``(N, O)``.
        replica: position of the replica.

    Raises:
        ValueError: the replica diverged and has no policy to play.
    """
    diverged = record["replicas"][replica]["diverged_at"]
    named = {name: np.asarray(tensor, dtype=np.float64) for name, tensor in tensors.items()}
    parameters = {name: values[replica] for name, values in named.items() if name.startswith("policy.")}
    if not all(np.isfinite(values).all() for values in parameters.values()):
        raise ValueError(f"replica {replica} diverged at step {diverged} and left no finite policy")
    found: dict[int, Policy] = {}
    for group in policy_groups(record):
        prefix = f"policy.{group['prefix']}"
        own = {name.removeprefix(prefix): values for name, values in parameters.items() if name.startswith(prefix)}
        for position, seat in enumerate(group["seats"]):
            found[seat] = POLICY_KINDS[group["kind"]](
                game=record["game"],
                seat=seat,
                parameters=record["game_parameters"],
                gain=named["observation.gain"][seat],
                offset=named["observation.offset"][seat],
                facts=group,
                tensors={name: values[position] for name, values in own.items()},
            )
    return [found[seat] for seat in range(len(record["endowments"]))]


def _read_tensors(folder: Path) -> Mapping[str, npt.NDArray[Any]]:
    """Read the tensors of a folder.

    Raises:
        FileNotFoundError: they are missing.
        ValueError: they cannot be read.
    """
    file = contained(folder, POLICIES_FILE)
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing; expected a folder written by TrainingResult.save")
    try:
        return load_file(file)
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:  # KeyError: numbers of unknown types
        raise ValueError(f"{file} holds no readable tensors: {error!r}; save it again") from error


def load_agents(
    path: str | Path, replica: int | tuple[str, int] = 0, *, stochastic: bool = False, foreign: bool = False
) -> list[TrainedAgent]:
    """Load the agents of a saved training result, one per seat.

    Args:
        path: folder that `TrainingResult.save` wrote.
        replica: position, or ``(reward, seed)``.
        stochastic: draw actions instead of playing the mean.
        foreign: let them play games of other parameters than they were trained on.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file cannot be read or was altered, or there is no such replica.
    """
    folder = Path(path)
    check_digests(folder)
    record = read_record(folder, check_record)
    tensors = _read_tensors(folder)
    try:
        check_tensors(record, tensors)
    except FieldError as error:
        raise ValueError(f"{folder / POLICIES_FILE}: {error}; save it again") from error
    found = policies(record, tensors, replica_index(record, replica))
    return [TrainedAgent(policy, stochastic, foreign) for policy in found]


@dataclass(frozen=True, eq=False)
class TrainingResult(RecordedTraining):
    """R trained replicas. A replica is named by its position or by ``(reward, seed)``.

    Curves count joint steps of the environment. Metrics per block, means over seats and copies: ``reward`` in the
    replica's mode and material ``payoff``, per agent-step in the game's units; ``cooperation`` as a share of endowment;
    and the learner's own. Metrics ``eval_…`` are those of `Evaluator.results`, at the points that training was asked
    for.

    Attributes:
        record: everything but arrays, as JSON values: algorithm, hyper-parameters, game, view, budget and, per
            replica, reward, seed, reward scale, status and curves.
        tensors: policy parameters ``policy.<name>`` ``(R, N, ...)`` and the observation map.
    """

    tensors: Mapping[str, npt.NDArray[Any]]

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

    def transcript(self, replica: int | tuple[str, int] = 0) -> Sequence[Mapping[str, Any]]:
        """Return nothing: nobody talked."""
        return ()

    def save(self, path: str | Path) -> None:
        """Write policies (safetensors), record (JSON) and the digests of both to a folder that `load_agents` reads."""
        arrays = {name: np.ascontiguousarray(tensor) for name, tensor in self.tensors.items()}
        self._save(Path(path), {POLICIES_FILE: save(arrays)})
