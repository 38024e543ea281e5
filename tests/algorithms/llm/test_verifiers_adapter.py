"""The environment as verifiers uses it: tasks from a set, a player who is answered, a reward in the end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("verifiers.v1")

PAYOFF = '<tool_call>{"name": "payoff", "arguments": {"own": 0.4, "partner": 0.5}}</tool_call>'
SUBMIT = '<tool_call>{"name": "submit", "arguments": {"level": 0.5}}</tool_call>'


@dataclass
class Player:
    """Says what is given, one text a turn; then its run ends."""

    texts: list[str]
    read: list[str | None] = field(default_factory=list)
    rewards: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)

    @asynccontextmanager
    async def interaction(self, task: Any) -> Any:
        trace = SimpleNamespace(record_reward=self.rewards.__setitem__, record_metric=self.metrics.__setitem__)
        yield SimpleNamespace(turn=self.turn, trace=trace)

    async def turn(self, message: str | None = None) -> Any:
        self.read.append(message)
        return SimpleNamespace(terminated=not self.texts, last_reply=self.texts.pop(0) if self.texts else "")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from verifiers.v1.utils.loaders import load_environment, resolve_env_config

    (tmp_path / "my_decisions.py").write_text(
        "from coopgym.algorithms.llm.adapters.verifiers import GameEnv, GameTaskset\n"
        "__all__ = ['GameEnv', 'GameTaskset']\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    tasks = {"id": "my-decisions", "count": 2, "first": 3, "decisions": 2, "partners": ["Constant_50"]}
    yield load_environment(resolve_env_config({"taskset": tasks}))
    sys.modules.pop("my_decisions", None)


def played(environment: Any, *texts: str) -> Player:
    player = Player(list(texts))
    task = next(iter(environment.taskset))
    asyncio.run(environment.run(task, SimpleNamespace(player=player)))
    return player


def test_tasks_have_numbers_and_prompts(environment: Any) -> None:
    first, second = environment.taskset
    assert (first.data.number, second.data.number) == (3, 4)
    assert first.data.prompt != second.data.prompt
    assert "<tools>" in first.data.prompt
    assert [task.data.prompt for task in environment.taskset] == [first.data.prompt, second.data.prompt]


def test_the_game_answers_and_rewards(environment: Any) -> None:
    player = played(environment, PAYOFF, "well", SUBMIT, SUBMIT)
    opening, result, complaint, following = player.read
    assert opening is None
    assert result is not None
    assert "your_reward" in result
    assert complaint is not None
    assert "no tool call" in complaint
    assert following is not None
    assert "Round " in following
    assert player.rewards["outcome"] > 0.0
    assert player.metrics == {"problems": 1}


def test_who_leaves_early_earns_nothing(environment: Any) -> None:
    assert played(environment, PAYOFF).rewards == {"outcome": 0.0}


def test_settings_that_do_not_fit_are_refused(environment: Any) -> None:
    config = environment.taskset.config.model_copy(update={"game": "TrustDilema-v1"})
    with pytest.raises(ValueError, match="did you mean 'TrustDilemma-v1'"):
        list(type(environment.taskset)(config))
