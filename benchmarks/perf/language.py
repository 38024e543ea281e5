"""Cost of the text interface: prompt, reading and dispatch of a decision against steps of the game itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import coopgym
from benchmarks.perf.measure import ALTERNATIONS, QUICK_ALTERNATIONS, Ratio, alternate, rate
from coopgym.agents import Seat
from coopgym.interfaces.engine import Engine
from coopgym.interfaces.text import TOOLS, Desk, Dialogue, Rules, dialect_named
from coopgym.rewards import MODES

GAME = "TrustDilemma-v1"
SUBMIT = '<tool_call>{"name": "submit", "arguments": {"level": 0.4}}</tool_call>'
PAYOFF = '<tool_call>{"name": "payoff", "arguments": {"own": 0.4, "partner": 0.5}}</tool_call>'
REPETITIONS = 1000


def c18(quick: bool = False) -> Ratio:
    """A decision that only submits, in the dialect that says most."""
    return _overhead("C18", "text decision: submit ÷ environment step", [SUBMIT], quick)


def c18_with_a_tool(quick: bool = False) -> Ratio:
    """A decision that asks for a payoff first."""
    return _overhead("C18b", "text decision: payoff, submit ÷ environment step", [PAYOFF, SUBMIT], quick)


def _overhead(id: str, title: str, messages: Sequence[str], quick: bool) -> Ratio:
    decide, step = _decisions(messages), _steps()
    per_decision, per_step, ratio, spread = alternate(
        lambda: 1.0 / rate(decide, REPETITIONS),
        lambda: 1.0 / rate(step, REPETITIONS),
        QUICK_ALTERNATIONS if quick else ALTERNATIONS,
    )
    return Ratio(id, title, per_decision, per_step, ratio, spread, "s", floor=20.0, aim=5.0, at_most=True)


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
    """Open a decision and hear its messages, for the length of an episode at one desk."""
    game, dialect, rules = coopgym.make_game(GAME), dialect_named("json"), Rules()
    seat = Seat.of(game, 0, "own", "private")
    observation = game.observe(game.initial_state(), "own")[0]
    desks = (Desk(game, seat, MODES["private"]) for _ in itertools.count())
    rounds = (desk for desk in desks for _ in range(game.spec.horizon))

    def decide() -> None:
        desk = next(rounds)
        desk.see(observation)
        dialogue = Dialogue(desk, dialect, rules, TOOLS)
        for message in messages:
            dialogue.hear(message)

    return decide
