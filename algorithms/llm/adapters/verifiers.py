"""The text task for verifiers: a set of tasks, and the environment in which the game answers the model.

Programs of verifiers find it by the name of a module of your own that says
``from coopgym.algorithms.llm.adapters.verifiers import GameEnv, GameTaskset`` and lists both in its ``__all__``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from coopgym.algorithms.llm.adapters.rollout import TextRollout
from coopgym.algorithms.llm.play.tasks import OutcomeKind, Task, TaskSettings
from coopgym.extras import missing_extra
from coopgym.interfaces.text import Rules

try:
    import verifiers.v1 as vf
except ImportError as error:
    raise missing_extra(__name__, "verifiers") from error

__all__ = ["GameEnv", "GameTaskset"]


class GameTasksetConfig(vf.TasksetConfig):
    """Which tasks there are; what is not said here is as in `TaskSettings`."""

    game: str = "TrustDilemma-v1"
    reward: str = "integrated"
    partners: tuple[str, ...] = TaskSettings.partners
    decisions: int = 1
    latest_start: int = 20
    outcome: OutcomeKind = "graded"
    max_turns: int = 6
    """Messages for one decision."""
    count: int = 100
    first: int = 0
    """Number of the first task, so that sets for training and evaluation share none."""

    @property
    def settings(self) -> TaskSettings:
        """The settings that all tasks share.

        Raises:
            ValueError: one of them is unknown or does not fit the game.
        """
        return TaskSettings(
            self.game,
            reward=self.reward,
            partners=self.partners,
            decisions=self.decisions,
            latest_start=self.latest_start,
            dialect="json",
            rules=Rules(max_turns=self.max_turns),
            outcome=self.outcome,
        )


class GameData(vf.TaskData):
    """What tells a task from the others."""

    number: int
    """Seed that it is drawn with."""


class GameTask(vf.Task[GameData, vf.State, vf.TaskConfig]):
    """Some decisions in a game."""


class GameTaskset(vf.Taskset[GameTask, GameTasksetConfig]):
    """Tasks by number. Equal numbers have the same start, partners and chance."""

    def load(self) -> Iterator[GameTask]:
        """Yield the tasks with their first prompts."""
        settings = self.config.settings
        for number in range(self.config.first, self.config.first + self.config.count):
            task = drawn(settings, number)
            yield GameTask(GameData(name=task.uid, prompt=TextRollout(task).prompt, number=number), self.config.task)


class GameEnvConfig(vf.EnvConfig):
    """Who plays: a chat loop on this machine, since nothing that a model writes is run."""

    player: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime={"type": "subprocess"})


class GameEnv(vf.Env[GameEnvConfig]):
    """The game as the user of a chat: it answers calls of tools, and opens the next decision."""

    async def run(self, task: GameTask, agents: vf.Agents) -> None:
        """Play a task. The reward is the task's outcome; messages that could not be read are counted."""
        rollout = TextRollout(drawn(self.taskset.config.settings, task.data.number))
        async with agents.player.interaction(task) as interaction:
            segment = await interaction.turn()
            while not segment.terminated:
                answer = rollout.hear(segment.last_reply)
                if answer is None:
                    break
                segment = await interaction.turn(answer)
        interaction.trace.record_reward("outcome", rollout.worth)
        interaction.trace.record_metric("problems", rollout.problems)


def drawn(settings: TaskSettings, number: int) -> Task:
    """Draw a task by its number."""
    return settings.draw(np.random.default_rng(number))
