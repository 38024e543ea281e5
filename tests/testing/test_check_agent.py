"""The public checker of agents: the shipped ones pass, a user's does, and broken ones learn what to change."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from coopgym.agents import Seat, Strategy, agent_names
from coopgym.agents.heuristics import Constant, GrimTrigger, Random, TitForTat
from coopgym.testing import ConformanceError, check_agent

STRATEGIES = [name for name in agent_names() if not name.startswith("Oracle_")]
"""Shipped agents that play in every game; oracles have tests of their own."""


class Mine:
    """Ten lines: answers the partners' mean, a little less."""

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        self.seat, self.episodes, self.rng = seat, episodes, rng

    def act(self, observation: Any) -> Any:
        return 0.9 * self.seat.partners_cooperation(observation).mean(axis=1)


class Mute:
    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        pass


class OneNumber(Mine):
    def act(self, observation: Any) -> Any:
        return 1.0


class Column(Mine):
    def act(self, observation: Any) -> Any:
        return super().act(observation)[:, None]


class Words(Mine):
    def act(self, observation: Any) -> Any:
        return "cooperate"


class Undefined(Mine):
    def act(self, observation: Any) -> Any:
        return np.full(self.episodes, np.nan)


class InUnits(Mine):
    def act(self, observation: Any) -> Any:
        return np.full(self.episodes, 0.5 * self.seat.endowment)


class TooMuch(Mine):
    def act(self, observation: Any) -> Any:
        return np.full(self.episodes, 1.5 * self.seat.endowment)


class OwnGenerator(Mine):
    def act(self, observation: Any) -> Any:
        return np.random.default_rng().random(self.episodes)


class GlobalNumPy(Mine):
    def act(self, observation: Any) -> Any:
        return np.random.rand(self.episodes)  # noqa: NPY002


class GlobalPython(Mine):
    def act(self, observation: Any) -> Any:
        return [random.random() for _ in range(self.episodes)]


class Scribbler(Mine):
    def act(self, observation: Any) -> Any:
        observation *= 0.5
        return super().act(observation)


class WritesToOthers(Mine):
    def act(self, observation: Any) -> Any:
        if observation.base is not None:
            observation.base[:, 0] = 0.0
        return super().act(observation)


class ReadsOthers(Mine):
    def act(self, observation: Any) -> Any:
        if observation.base is None:
            return super().act(observation)
        return observation.base[:, 0].mean(axis=1).clip(0.0, 1.0)


class Late(Mine):
    """Plays well for a while."""

    def __init__(self, bad: Any) -> None:
        self.bad = bad

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        super().begin(seat, episodes, rng)
        self.rounds = 0

    def act(self, observation: Any) -> Any:
        self.rounds += 1
        return super().act(observation) if self.rounds <= 60 else self.bad


class NeverForgets(Mine):
    def __init__(self) -> None:
        self.rounds = 0

    def act(self, observation: Any) -> Any:
        self.rounds += 1
        return super().act(observation) if self.rounds % 3 else np.zeros(self.episodes)


class Gossip(Mine):
    def act(self, observation: Any) -> Any:
        return np.full(self.episodes, super().act(observation).mean())


class DeafToRestart(GrimTrigger):
    def forget(self, rows: Any) -> None:
        pass


class RestartsEverybody(GrimTrigger):
    def restart(self, rows: Any) -> None:
        super().restart(np.ones_like(rows))


class Fails(Mine):
    def act(self, observation: Any) -> Any:
        raise RuntimeError("out of memory")


class Exits(Mine):
    def act(self, observation: Any) -> Any:
        raise SystemExit(0)


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise SystemExit(0)


class Speechless(Mine):
    def act(self, observation: Any) -> Any:
        raise SpeechlessError


class CannotBeMade(Mine):
    def __init__(self) -> None:
        raise GeneratorExit


class LateScribbler(Mine):
    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        super().begin(seat, episodes, rng)
        self.rounds = 0

    def act(self, observation: Any) -> Any:
        self.rounds += 1
        if self.rounds > 50:
            observation[:, 0] = 0.5
        return super().act(observation)


class LateShare(Strategy):
    def cooperate(self, observation: Any) -> Any:
        return np.where(self.round > 50, np.nan, 0.5)


@pytest.mark.parametrize("name", [*STRATEGIES, "Constant_00", "Constant_37", "Constant_100"])
def test_shipped_agents_conform(name: str) -> None:
    check_agent(name)


@pytest.mark.parametrize("mode", ["mean", "neighbour", "min"])
def test_tit_for_tat_conforms_in_every_mode_that_is_reset(mode: str) -> None:
    check_agent(lambda: TitForTat(mode=mode))


def test_the_reference_variants_on_the_joint_box_conform() -> None:
    check_agent(lambda: Constant(0.7, joint_box=True))
    check_agent(lambda: Random(joint_box=True))


def test_a_ten_line_agent_conforms_as_class_object_or_function() -> None:
    check_agent(Mine)
    check_agent(Mine())
    check_agent(lambda: Mine(), games=["TeamProduction-v1"], seed=4)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Mute, "Mute: it has begin and act: no act; an agent needs begin"),
        (OneNumber, r"in seat 0 of PartnerHoldUp-v1 \(view 'own'\) act\(\) must return 1 shares, .* got shape \(\)"),
        (Column, r"must return 1 shares, one per episode, as shape \(1,\); got shape \(1, 1\)"),
        (Words, r"act\(\) must return numbers, one share of the endowment per episode: got 'cooperate'"),
        (Undefined, r"act\(\) returned nan in episode 0; expected shares of the endowment in \[0, 1\], finite ones"),
        (
            InUnits,
            r"in seat 0 of PartnerHoldUp-v1 .* returned 60 in .* in shares, .* divide by seat.endowment, here",
        ),
        (TooMuch, r"returned 180 in episode 0; expected shares of the endowment in \[0, 1\]: clip"),
        (OwnGenerator, r"equal generators give different actions; take all randomness from the generator that begin"),
        (GlobalNumPy, "it draws from a global random state"),
        (GlobalPython, "it draws from a global random state"),
        (Scribbler, r"at step 0, act\(\) changes the observation it is shown"),
        (LateScribbler, r"leaves observations alone: in seat 0 of .*, at step 50, act\(\) changes the observation"),
        (LateShare, r"stay playable: in seat 0 of .*, at step 51, act\(\) returned nan"),
        (Exits, "its actions are playable: SystemExit: 0"),
        (Speechless, "playable: SpeechlessError: a message that cannot be read: it raises SystemExit"),
        (CannotBeMade, "it has begin and act: GeneratorExit"),
        (WritesToOthers, r"writes into the memory around the observation \(observation.base\)"),
        (ReadsOthers, r"actions depend on the memory around the observation \(observation.base\)"),
        (lambda: Late([np.nan] * 3), r"stay playable: in seat 0 of .*, at step 60, act\(\) returned nan"),
        (lambda: Late([1.0]), r"at step 60, act\(\) must return 3 shares, .* got shape \(1,\)"),
        (lambda: Late([-1.0] * 3), r"at step 60, act\(\) returned -1 in episode 0; expected shares"),
        (NeverForgets, r"played differently the second time; begin\(\) must set up all memory afresh"),
        (lambda: TitForTat(mode="reference"), "played differently the second time"),
        (Gossip, "an episode is played differently beside others"),
        (DeafToRestart, r"restart\(rows\) is no fresh start"),
        (RestartsEverybody, r"restart\(rows\) changes episodes that go on"),
        (Fails, "its actions are playable: RuntimeError: out of memory"),
        (3, "int: it has begin and act: no begin and no act"),
    ],
)
def test_broken_agents_learn_what_to_change(broken: Any, message: str) -> None:
    with pytest.raises(ConformanceError, match=message):
        check_agent(broken)


@pytest.mark.parametrize(
    ("broken", "method", "below"),
    [
        (Undefined, "act", 0),
        (Fails, "act", 1),
        (Exits, "act", 1),
        (CannotBeMade, "__init__", 1),
        (Speechless, "act", 1),
        (Scribbler, "act", 1),
        (LateScribbler, "act", 3),
        (LateShare, "cooperate", 0),
    ],
)
def test_messages_name_file_and_line(broken: Any, method: str, below: int) -> None:
    line = getattr(broken, method).__code__.co_firstlineno + below
    with pytest.raises(ConformanceError, match=rf"\(.*test_check_agent\.py:{line}\)$"):
        check_agent(broken)


def test_an_object_that_remembers_is_caught_although_it_is_one_object() -> None:
    with pytest.raises(ConformanceError, match="forget earlier episodes"):
        check_agent(NeverForgets())


def test_the_error_is_an_assertion() -> None:
    with pytest.raises(AssertionError):
        check_agent(Mute)
