"""Cost of the text interface: a decision against steps of the game itself, and an episode against its replay."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from tempfile import TemporaryDirectory

import coopgym
from coopgym.agents import Seat, make_agent
from coopgym.benchmarks.perf.chat_server import Chat, chat_server
from coopgym.benchmarks.perf.measure import Ratio, compare, rate
from coopgym.interfaces.text import TOOLS, Dialogue, Rules, SeatMemory, chat_format_named
from coopgym.play import play
from coopgym.play.engine import Engine
from coopgym.rewards import MODES

GAME = "TrustDilemma-v1"
SUBMIT = '<tool_call>{"name": "submit", "arguments": {"level": 0.4}}</tool_call>'
PAYOFF = '<tool_call>{"name": "payoff", "arguments": {"own": 0.4, "partner": 0.5}}</tool_call>'
REPETITIONS = 1000
ROUNDS = 10
SECONDS_PER_REPLY = 0.05
"""As long as a small model on a GPU takes for a short message."""


def c18(quick: bool = False) -> Ratio:
    """A decision that only submits, in the dialect that says most."""
    return _overhead("C18", "text decision: submit ÷ environment step", [SUBMIT], quick)


def c18_with_a_tool(quick: bool = False) -> Ratio:
    """A decision that asks for a payoff first."""
    return _overhead("C18b", "text decision: payoff, submit ÷ environment step", [PAYOFF, SUBMIT], quick)


def c18_replayed(quick: bool = False) -> Ratio:
    """An episode whose messages, two per decision, are in the cache, against its live play, both by the clock."""
    game, fresh = coopgym.make_game(GAME, max_steps=ROUNDS), itertools.count()
    with TemporaryDirectory() as place, chat_server(_thoughtful, SECONDS_PER_REPLY) as url:

        def seconds(cache: object) -> float:
            agents = [make_agent(f"llm:{url}#measured", cache=f"{place}/{cache}"), make_agent("TitForTat")]
            begin = time.perf_counter()
            play(game, agents, reward="private")
            return time.perf_counter() - begin

        return compare(
            lambda: seconds("kept"), lambda: seconds(next(fresh)), quick,
            id="C18c", title="text episode: from the cache ÷ live, 50 ms a reply", unit="s", floor=0.02, aim=0.01,
            at_most=True,
        )  # fmt: skip


def _thoughtful(chat: Chat) -> str:
    return PAYOFF if len(chat) == 1 else SUBMIT


def _overhead(id: str, title: str, messages: Sequence[str], quick: bool) -> Ratio:
    decide, step = _decisions(messages), _steps()
    return compare(
        lambda: 1.0 / rate(decide, REPETITIONS), lambda: 1.0 / rate(step, REPETITIONS), quick,
        id=id, title=title, unit="s", floor=20.0, aim=5.0, at_most=True,
    )  # fmt: skip


def _steps() -> Callable[[], object]:
    """Step and observe one environment; finished episodes start anew."""
    game = coopgym.make_game(GAME)
    engine = Engine(game, "private")
    engine.reset(0)
    actions = 0.5 * game.spec.endowments

    def step() -> None:
        transition, _ = engine.step(actions)
        game.observe(transition.state, "own")
        if transition.truncated:
            engine.reset()

    return step


def _decisions(messages: Sequence[str]) -> Callable[[], object]:
    """Open a decision and receive its messages, for the length of an episode in one seat."""
    game, dialect, rules = coopgym.make_game(GAME), chat_format_named("json"), Rules()
    seat = Seat.of(game, 0, "own", "private")
    observation = game.observe(game.initial_state(), "own")[0]
    memories = (SeatMemory(game, seat, MODES["private"]) for _ in itertools.count())
    rounds = (memory for memory in memories for _ in range(game.spec.horizon))

    def decide() -> None:
        memory = next(rounds)
        memory.see(observation)
        dialogue = Dialogue(memory, dialect, rules, TOOLS)
        for message in messages:
            dialogue.receive(message)

    return decide
