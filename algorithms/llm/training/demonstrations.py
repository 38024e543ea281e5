"""Demonstrations: scripted dialogues of players that use tools, from which a model learns the forms of play.

They are a mixture on purpose. A model that only saw the oracle would have nothing left to learn; one that saw every
level, asked for or not, knows how to play and has yet to find out what pays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from coopgym.algorithms.llm.models import LanguageModel
from coopgym.algorithms.llm.play.conversation import Rollout
from coopgym.algorithms.llm.play.scripted_play import Script, partner_level, play_script
from coopgym.algorithms.llm.play.sessions import PlaySession
from coopgym.algorithms.llm.play.tasks import Task, TaskSettings
from coopgym.algorithms.llm.play.trajectories import Trajectory
from coopgym.interfaces.text import SeatMemory, on_grid

Calls: TypeAlias = Iterator[tuple[str, Mapping[str, object]]]
"""Tool calls, one message each; the last submits."""

GOLD_SHARE = 0.1
"""Part of the decisions that submit the oracle's level; as many submit what the others play."""


def demonstrations(
    settings: TaskSettings, model: LanguageModel, count: int, rng: np.random.Generator
) -> list[Trajectory]:
    """Return scripted trajectories of tasks drawn at random.

    Args:
        settings: of the tasks.
        model: its tokenizer writes them down.
        count: how many.
        rng: all chance.
    """
    return [_demonstration(settings.draw(rng), model, rng) for _ in range(count)]


def _demonstration(task: Task, model: LanguageModel, rng: np.random.Generator) -> Trajectory:
    rollout = Rollout.of_task(task, model, rng)
    play_script(rollout, _mixed_play(task, rng))
    return rollout.trajectory(task)


def _mixed_play(task: Task, rng: np.random.Generator) -> Script:
    """Return the script of a player that picks a level, asks about it in one way or another, and submits it."""

    def script(session: PlaySession) -> Iterator[str]:
        while session.waiting:
            dialogue, decision = session.dialogues[-1], len(session.dialogues) - 1
            level = _level(task, decision, dialogue.memory, rng)
            style = STYLES[int(rng.integers(len(STYLES)))]
            calls = [*style(dialogue.memory, level, rng)][-dialogue.rules.max_turns :]  # the last one submits
            yield from (dialogue.dialect.write(name, arguments) for name, arguments in calls)

    return script


def _level(task: Task, decision: int, memory: SeatMemory, rng: np.random.Generator) -> float:
    """Return a level to submit: mostly any, sometimes what the others play, sometimes what the oracle plays."""
    kind = rng.random()
    if kind < GOLD_SHARE:
        return on_grid(task.settings.gold(task.start + decision, task.seat))
    return partner_level(memory) if kind < 2 * GOLD_SHARE else on_grid(rng.random())


def _at_once(memory: SeatMemory, level: float, rng: np.random.Generator) -> Calls:
    yield "submit", {"level": level}


def _tried(memory: SeatMemory, level: float, rng: np.random.Generator) -> Calls:
    yield "payoff", {"own": level, "partner": partner_level(memory)}
    yield "submit", {"level": level}


def _compared(memory: SeatMemory, level: float, rng: np.random.Generator) -> Calls:
    yield "payoff", {"own": on_grid(rng.random()), "partner": partner_level(memory)}
    yield from _tried(memory, level, rng)


def _looked_back(memory: SeatMemory, level: float, rng: np.random.Generator) -> Calls:
    yield "partner_history", {"k": int(rng.integers(1, 5))}
    yield "submit", {"level": level}


STYLES: tuple[Callable[[SeatMemory, float, np.random.Generator], Calls], ...] = (
    _at_once,
    _tried,
    _compared,
    _looked_back,
)
