"""Trained partners: how their policies are made, and the agents that play them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.agents.base import Agent, Classifier, Seat, Strategy
from coopgym.agents.registry import make_agent
from coopgym.agents.wrappers import Wrapper
from coopgym.algorithms.common.learner_contract import ProgressCallback
from coopgym.algorithms.common.policies import SquashedGaussian, input_map
from coopgym.games.registry import make_game
from coopgym.oracles.agents.base import registered_game
from coopgym.strangers.partners import RELEASE, SCHEME, Partner, Training, partner_cards, strangers_folder
from coopgym.strangers.policies import Weights, policies_of
from coopgym.strangers.populations import POPULATIONS
from coopgym.strangers.populations import population as population_of
from coopgym.typing import FloatArray

ACTIVATION = "tanh"


def stranger(address: str) -> Agent:
    """Make the partner with an address like ``test/grim-0.6``, in whatever game it then plays.

    Args:
        address: population and name; of a population alone, somebody of it who is drawn anew for every episode.

    Raises:
        ValueError: there is none.

    >>> stranger("test/grim-0.6").opening_level
    0.6
    """
    if address in POPULATIONS:
        return AnyPartner(address)
    population, _, name = address.partition("/")
    cards = {card.name: card for card in partner_cards(strangers_folder()).get(population, ())}
    if name not in cards:
        raise ValueError(
            f"stranger {SCHEME}:{address}: expected training, test, training/NAME or test/NAME, where "
            f"{population or 'test'} has {', '.join(cards) or 'nobody'}"
        )
    return TrainedPartner(population, name) if cards[name].training else make_agent(cards[name].agent)


class TrainedPartner(Strategy):
    """Plays a released policy, which was trained in the game that it plays; it sees its own view."""

    classifier = Classifier(memory_depth=1)

    def __init__(self, population: str, name: str) -> None:
        self.population, self.name = population, name

    def identity(self) -> dict[str, Any]:
        return {"release": RELEASE, **super().identity()}

    def prepare(self) -> None:
        """Find the policy of the seat.

        Raises:
            ValueError: nobody has trained it in this game, or the view shows something else.
        """
        seat = self.seat
        game = registered_game(seat.game.id, seat.game.parameters)
        found = policies_of(strangers_folder(), seat.game.id).get(f"{self.population}/{self.name}")
        if found is None:
            raise ValueError(
                f"{SCHEME}:{self.population}/{self.name} has not been trained in {seat.game.id}; "
                f"`coopgym strangers build {seat.game.id}` does that"
            )
        first = next(group[0] for group in game.traits().exchangeable if seat.index in group)
        low, high = (bound[seat.index] for bound in game.observation_bounds("own"))
        if seat.observation_size != len(low):
            raise ValueError(f"{self.name} plays in the view 'own' of {seat.game.id}, not in {seat.view!r}")
        gain, offset = input_map(low, high)
        tensors = {name.partition("/")[2]: tensor for name, tensor in found.items() if name.startswith(f"{first}/")}
        self._policy = SquashedGaussian(
            game=seat.game.id,
            seat=seat.index,
            parameters={},
            gain=gain,
            offset=offset,
            facts={"activation": ACTIVATION},
            tensors={name: np.asarray(tensor, dtype=np.float64) for name, tensor in tensors.items()},
        )

    def cooperate(self, observation: FloatArray) -> FloatArray:
        return self._policy.share(self._policy.units(observation))


class AnyPartner(Wrapper):
    """Plays like somebody of a population, drawn anew for every episode: whoever trains with it meets them all.

    All of them watch every episode, so that a step costs as much as all of them take.
    """

    classifier = Classifier(memory_depth=math.inf, stochastic=True, uses_horizon=True)

    def __init__(self, population: str) -> None:
        super().__init__()
        self.population = population

    def identity(self) -> dict[str, Any]:
        return {"release": RELEASE, "population": self.population}

    def members(self, game: str) -> tuple[str, ...]:
        """Name those who are drawn from in a game, for whoever seats each of them in episodes of its own.

        Raises:
            ValueError: nobody is met in this game.
        """
        return tuple(
            f"{SCHEME}:{self.population}/{card.name}" for card in population_of(game, self.population).partners
        )

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        self._agents = {name: stranger(name.removeprefix(f"{SCHEME}:")) for name in self.members(seat.game.id)}
        super().begin(seat, episodes, rng)

    def prepare(self) -> None:
        self._chosen = self._drawn()

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        super().forget(rows)
        self._chosen = np.where(rows, self._drawn(), self._chosen)

    def _drawn(self) -> npt.NDArray[np.int64]:
        return (self.draws.random() * len(self._agents)).astype(np.int64)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        return np.stack(self.asked(observation))[self._chosen, np.arange(self.episodes)]


def train_partners(
    game: str, population: str, partners: tuple[Partner, ...], progress: ProgressCallback | None = None
) -> Mapping[str, Weights]:
    """Train the partners of a population that have to be, those that differ in reward or seed only side by side.

    Args:
        game: id.
        population: its name.
        partners: cards, with or without a training.
        progress: told of the steps done and planned of each training.

    Returns:
        Policies as `coopgym.strangers.policies.policies_of` has them.
    """
    found: dict[str, Weights] = {}
    trained = sorted((card for card in partners if card.training), key=lambda card: _alike(card.training))
    for _, cards in groupby(trained, key=lambda card: _alike(card.training)):
        found |= {f"{population}/{name}": tensors for name, tensors in _trained(game, list(cards), progress)}
    return found


def _alike(training: Training | None) -> tuple[Any, ...]:
    assert training is not None, "only partners with a training are sorted"
    return training.learner, training.env_steps, training.hidden, training.seed


def _trained(game: str, cards: list[Partner], progress: ProgressCallback | None) -> Iterator[tuple[str, Weights]]:
    from coopgym.algorithms import learners
    from coopgym.algorithms.marl.core.trained_agents import TrainingResult

    first = cards[0].training
    assert first is not None, "only partners with a training are trained"
    network: dict[str, Any] = {"hidden": first.hidden, "activation": ACTIVATION}
    learner = learners()[first.learner](**network)
    rewards = {card.name: card.training.reward for card in cards if card.training}
    result = learner.train(game, list(rewards.values()), [first.seed], first.env_steps, view="own", progress=progress)
    assert isinstance(result, TrainingResult), "partners are trained by learners that leave policies of seats"
    groups = make_game(game).traits().exchangeable
    for name, reward in rewards.items():
        agents = result.agents((reward, first.seed))
        policies = {seat: agents[seat].policy for seat, *_ in groups}
        yield (
            name,
            {
                f"{seat}/{tensor}": np.asarray(values, dtype=np.float16)
                for seat, policy in policies.items()
                for tensor, values in policy.tensors.items()
                if tensor != "log_sigma"
            },
        )


def write_policies(file: Path, policies: Mapping[str, Weights]) -> None:
    """Write the policies of a game."""
    from safetensors.numpy import save

    from coopgym.corpus.writer import write_atomically

    flat = {f"{partner}/{name}": tensor for partner, tensors in policies.items() for name, tensor in tensors.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, save(flat))
