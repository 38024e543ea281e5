"""Seats and episodes that wait for a server wait side by side, and what comes of it does not depend on who is first."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import coopgym
from coopgym.algorithms.llm.models import background
from coopgym.algorithms.llm.models.endpoint import Endpoint
from coopgym.algorithms.llm.play.agent import LanguageAgent, LanguagePolicy
from coopgym.algorithms.llm.play.endpoint_generator import EndpointGenerator
from coopgym.play import play
from coopgym.play.episodes import Episodes
from tests.algorithms.llm.chat_server import Answer, ChatServer, completion

GAME = "GraduatedSanction-v1"
SEATS, ROUNDS = 6, 2


pytestmark = pytest.mark.usefixtures("no_key")


def considered(request: dict[str, Any]) -> dict[str, Any]:
    """Submit a level that follows from the request, after a look at the game."""
    digest = int(hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest(), 16)
    if len(request["messages"]) == 1:
        return completion('<tool_call>{"name": "observe", "arguments": {}}</tool_call>')
    level = digest % 101 / 100
    return completion(f'<tool_call>{{"name": "submit", "arguments": {{"level": {level}}}}}</tool_call>')


def models(server: ChatServer, count: int = SEATS, **settings: Any) -> list[LanguageAgent]:
    """Return agents with a generator each."""
    endpoints = [Endpoint(url=server.url, model="m", timeout=60.0, **settings) for _ in range(count)]
    return [
        LanguageAgent(LanguagePolicy(EndpointGenerator(each), dialect="json"), stochastic=True) for each in endpoints
    ]


def played(agents: list[LanguageAgent], episodes: int = 1) -> Episodes:
    game = coopgym.make_game(GAME, max_steps=ROUNDS)
    return play(game, agents, reward="private", episodes=episodes, seed=4)


def said(agents: list[LanguageAgent]) -> list[list[tuple[Any, ...]]]:
    return [[(row["episode"], row["t"], row["role"], row["content"]) for row in agent.transcript] for agent in agents]


def test_all_seats_are_asked_at_once(server: ChatServer) -> None:
    everybody = threading.Barrier(SEATS, timeout=30.0)

    def together(request: dict[str, Any]) -> dict[str, Any]:
        everybody.wait()  # fails unless all seats ask before any is answered
        return considered(request)

    server.usual = Answer(together)
    agents = models(server)
    played(agents)
    assert len(server.requests) == 2 * SEATS * ROUNDS
    assert all(row["valid"] for agent in agents for row in agent.transcript if row["role"] == "assistant")


def test_all_agents_keep_the_limit_together(server: ChatServer) -> None:
    server.usual = Answer(considered, delay=0.01)
    played(models(server, concurrency=3), episodes=2)
    assert server.busiest == 3


def test_nothing_depends_on_the_order_of_answers(server: ChatServer) -> None:
    server.usual = Answer(considered)
    one_by_one = models(server, concurrency=1)
    expected = played(one_by_one, episodes=2)
    slowness = np.random.default_rng(0)
    server.script = [Answer(considered, delay=delay) for delay in slowness.uniform(0.0, 0.02, 2 * SEATS * ROUNDS * 2)]
    at_once = models(server, concurrency=12)
    found = played(at_once, episodes=2)
    assert np.array_equal(found.payoffs, expected.payoffs)
    assert said(at_once) == said(one_by_one)


def test_equal_questions_of_two_agents_are_asked_once_where_answers_are_kept(
    server: ChatServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server.usual = Answer(considered, delay=0.01)
    game = coopgym.make_game(GAME, max_steps=ROUNDS)
    agents = models(server, 2, cache=tmp_path_factory.mktemp("kept"))
    for agent in agents:
        agent.begin(coopgym.agents.Seat.of(game, 0, "own", "private"), 1, np.random.default_rng(1))
    observation = game.observe(game.initial_state(), "own")[0][None]
    for agent in agents:
        agent.act_async(observation)
    first, second = (float(agent.act(observation)[0]) for agent in agents)
    assert first == second
    assert len(server.requests) == 2
    tokens = [[row["paid_tokens"] for row in agent.transcript if row["role"] == "assistant"] for agent in agents]
    assert np.sum(tokens) == 20


@pytest.fixture
def silent(server: ChatServer) -> Iterator[Callable[[], None]]:
    """Return what waits until a server that never answers has been asked."""
    asked, over = threading.Event(), threading.Event()

    def never(request: dict[str, Any]) -> dict[str, Any]:
        asked.set()
        over.wait(60.0)
        return considered(request)

    server.usual = Answer(never)
    yield lambda: asked.wait(60.0) and None
    over.set()


def idle() -> bool:
    """Whether nothing goes on in the background, if need be a moment later."""
    for _ in range(200):
        if not background.under_way():
            return True
        time.sleep(0.01)
    return False


def test_an_interrupt_ends_play_at_once(server: ChatServer, silent: Callable[[], None]) -> None:
    def interrupt() -> None:
        silent()
        signal.pthread_kill(threading.main_thread().ident or os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        played(models(server))
    assert idle()


def test_a_seat_that_fails_ends_the_waiting_of_the_others(server: ChatServer, silent: Callable[[], None]) -> None:
    class Leaver:
        def begin(self, *_: Any) -> None: ...

        def act(self, observation: Any) -> Any:
            silent()
            raise ValueError("I leave")

    agents: list[Any] = [*models(server, SEATS - 1), Leaver()]
    with pytest.raises(ValueError, match="I leave"):
        played([agents[-1], *agents[:-1]])
    assert idle()
