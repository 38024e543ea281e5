"""The text task for TRL: environments whose methods are the tools, and the rows that reset them.

TRL's ``GRPOTrainer`` takes a class of environments as ``environment_factory``. It shows their public methods to the
model as tools, calls those that the model asks for, and takes the reward from ``get_reward``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

import numpy as np

from coopgym.algorithms.llm.adapters.rollout import TextRollout
from coopgym.algorithms.llm.play.tasks import TaskSettings
from coopgym.extras import missing_extra
from coopgym.interfaces.text import TOOLS, Tool, chat_format_named

if TYPE_CHECKING:
    from datasets import Dataset

DIALECT = "native"
DONE = "All decisions are made. Call no more tools."


def environment_class(settings: TaskSettings) -> type[GameEnvironment]:
    """Return a class of environments with the game's tools as methods.

    Args:
        settings: of the tasks; their dialect does not matter, since calls are worded by the model's chat template.
    """
    methods = {tool.name: _method(tool) for tool in TOOLS.values()}
    return type("GameEnvironment", (GameEnvironment,), {**methods, "_settings": replace(settings, dialect=DIALECT)})


def task_rows(count: int, first: int = 0) -> Dataset:
    """Return a data set with one row per task; a task's number is the seed it is drawn with.

    Args:
        count: how many.
        first: number of the first, so that sets for training and evaluation share no task.

    Raises:
        ImportError: datasets is not installed.
    """
    try:
        from datasets import Dataset
    except ImportError as error:
        raise missing_extra("a data set for TRL", "datasets") from error
    empty = [{"role": "user", "content": ""}]
    return Dataset.from_dict({"prompt": [empty] * count, "task": list(range(first, first + count))})


class GameEnvironment:
    """One rollout: some decisions in a game. Use what `environment_class` returns, which has the tools."""

    _settings: ClassVar[TaskSettings]

    def reset(self, task: int, **row: Any) -> str:
        """Start a task and return its first prompt. Equal tasks have the same start, partners and chance.

        Args:
            task: number of the task.
            row: other columns of the data set; they do not matter.
        """
        self._rollout = TextRollout(self._settings.draw(np.random.default_rng(task)))
        return self._rollout.prompt

    def get_reward(self) -> float:
        """Return what the rollout is worth; nothing if it ended before its decisions were made."""
        return self._rollout.worth

    def _call(self, name: str, arguments: dict[str, Any]) -> str:
        if self._rollout.done:
            return DONE
        return self._rollout.hear(chat_format_named(DIALECT).write(name, arguments)) or DONE


def _method(tool: Tool) -> Callable[..., str]:
    """Return a tool as a method with the signature and documentation that chat templates make schemas from."""

    def call(self: GameEnvironment, **arguments: Any) -> str:
        return self._call(tool.name, arguments)

    hints = get_type_hints(tool.run)
    types = {argument.name: hints[argument.name] for argument in tool.arguments}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind, annotation=type_) for name, type_ in types.items()]
    signature = inspect.Signature([inspect.Parameter("self", kind), *parameters], return_annotation=str)
    lines = [f"    {argument.name}: {argument.description}" for argument in tool.arguments]
    call.__name__ = tool.name
    call.__qualname__ = f"GameEnvironment.{tool.name}"
    call.__doc__ = "\n".join([tool.description, *(["", "Args:", *lines] if lines else [])])
    call.__annotations__ = {**types, "return": str}
    call.__signature__ = signature  # type: ignore[attr-defined]  # functions take it, but their type does not say so
    return call
