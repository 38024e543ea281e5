"""A small model that has learned to play, once for all tests, and a server of one that echoes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from coopgym.algorithms.llm.models import SmallModel, SmallSettings
from coopgym.algorithms.llm.play.tasks import TaskSettings
from coopgym.algorithms.llm.training.warm_up import WarmUp, imitate
from coopgym.interfaces.text import Rules
from tests.algorithms.llm.chat_server import ChatServer, chat_server

TINY = SmallSettings(layers=1, width=32, heads=2, context=384)


@pytest.fixture(scope="session")
def tasks() -> TaskSettings:
    return TaskSettings("TrustDilemma-v1", reward="cooperative", rules=Rules(max_turns=3), latest_start=4)


@pytest.fixture(scope="session")
def pupil(tasks: TaskSettings) -> Callable[[], SmallModel]:
    """Return how to get a fresh copy of a model that has imitated long enough to answer most of the time."""
    torch.set_num_threads(1)
    model = SmallModel(TINY, seed=0)
    imitate(model, tasks, WarmUp(steps=150, batch=16, pool=128, learning_rate=2e-2), seed=0)

    def copy() -> SmallModel:
        twin = SmallModel(TINY)
        twin.restore(model.state())
        return twin

    return copy


@pytest.fixture
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here has paid for an endpoint."""
    pytest.importorskip("httpx")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    """A server of chats on this machine; it echoes unless told otherwise."""
    with chat_server() as running:
        yield running
