"""Herds played out: agents one after another, by the exact rules or by whoever answers in words.

Planner and agents can be roles of a language model: functions from a text to a text. What they answer is data, read by
its last line; what cannot be read is counted, and the exact rule stands in for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from coopgym.interfaces.text.action_parsing import IllegalCallError, read_level
from coopgym.oracles.mechanism_design.herd import Herd, HerdPlan
from coopgym.typing import BoolArray, FloatArray

TextRole: TypeAlias = Callable[[str], str]
"""Answers a text by a text."""

PROMPTS_VERSION = 1
"""Raise it when the words below change: results with language models depend on them."""
PLANNER_PROMPT = """\
You advise a stream of newcomers who each decide once, one after another: play HIGH or play LOW.
HIGH is right if their partners reciprocate, LOW is right if their partners defect; nobody knows which. The public \
belief that partners reciprocate is {belief:.2f}.
You choose how clear the newcomer's private signal is: its precision, the chance that it is right, from {least:.2f} to \
1.00. Precision {baseline:.2f} is free; every 0.10 away from it costs you {step_cost:.3f}.
{aim}
What they do is public and moves the belief of those who follow. A newcomer whom no signal could sway ignores it.
Earlier newcomers: {history}.
Answer with the precision alone on the last line."""
AIMS = {
    "altruistic": "You want newcomers to be right: a wrong HIGH costs you {bad:.3f}, a wrong LOW {good:.3f}.",
    "biased": "You want newcomers to play HIGH, right or wrong: every LOW costs you {stake:.3f}.",
}
AGENT_PROMPT = """\
You decide once: play HIGH or play LOW. If your partners reciprocate, HIGH is right and LOW costs you {good:.3f}. If \
they defect, LOW is right and HIGH costs you {bad:.3f}. Nobody knows which. The public belief that they reciprocate is \
{belief:.2f}.
Your private signal is right with probability {precision:.2f}. It says: they {signal}.
Earlier newcomers: {history}.
Answer with HIGH or LOW alone on the last line."""
SHOWN = 12
"""Earlier choices that a prompt lists, the last ones."""

_ACTION = re.compile(r"(high|low)\.?", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Sequences:
    """R herds of T agents."""

    beliefs: FloatArray
    """``(T + 1, R)`` public beliefs."""
    precisions: FloatArray
    """``(T, R)``."""
    actions: BoolArray
    """``(T, R)`` whether G was played."""
    lost: FloatArray
    """``(T, R)`` by each agent, 0 where it was right."""


def play_herds(plan: HerdPlan, good: BoolArray, belief: float, uniforms: FloatArray) -> Sequences:
    """Play herds under a plan, with agents who weigh what they know.

    Args:
        plan: of the planner.
        good: ``(R,)`` whether the state is good.
        belief: to begin with.
        uniforms: ``(T, R)`` in [0, 1); a signal is right below its precision.

    >>> from coopgym.oracles import HerdPlanner
    >>> plan = HerdPlanner(beliefs=201).solve(Herd(cost=2.5))
    >>> herds = play_herds(plan, np.array([True, False]), belief=0.5, uniforms=np.full((3, 2), 0.5))
    >>> herds.precisions[:, 0], herds.actions.T  # one clear signal, and the others follow the first
    (array([1. , 0.6, 0.6]), array([[ True,  True,  True],
           [False, False, False]]))
    """
    beliefs, precisions, actions, lost = [np.full(good.shape, float(belief))], [], [], []
    for draw in uniforms:
        chosen = plan.choose(beliefs[-1])
        action, after = _answered(plan.herd, beliefs[-1], chosen, (draw < chosen) == good)
        precisions.append(chosen)
        actions.append(action)
        beliefs.append(after)
        lost.append(_loss(plan.herd, action, good))
    return Sequences(np.array(beliefs), np.array(precisions), np.array(actions), np.array(lost))


@dataclass(frozen=True)
class Turn:
    """One agent of a herd with roles."""

    belief: float
    precision: float
    """That the planner chose."""
    exact_precision: float
    """That the exact policy would have chosen at this belief."""
    signal: bool
    """Whether it said G."""
    action: bool
    """Whether the agent played G."""
    exact_action: bool
    """Whether an agent who weighs what is known would have."""
    lost: float


@dataclass(frozen=True)
class RolesRun:
    """A herd whose planner, agents or both answered in words."""

    turns: tuple[Turn, ...]
    unreadable: dict[str, int]
    """By role, answers that could not be read."""

    @property
    def precision_error(self) -> float:
        """Mean distance of the planner's precision from the exact one."""
        return float(np.mean([abs(turn.precision - turn.exact_precision) for turn in self.turns]))

    @property
    def agreement(self) -> float:
        """Share of agents who did what one who weighs what is known would have done."""
        return float(np.mean([turn.action == turn.exact_action for turn in self.turns]))

    @property
    def lost(self) -> float:
        """Mean loss of an agent."""
        return float(np.mean([turn.lost for turn in self.turns]))


def play_with_roles(
    plan: HerdPlan,
    good: bool,
    belief: float,
    uniforms: FloatArray,
    *,
    planner: TextRole | None = None,
    agent: TextRole | None = None,
) -> RolesRun:
    r"""Play a herd in which planner, agents or both are asked in words.

    The public belief moves by the rule for agents who weigh what they know, whatever the one at hand is like.

    Args:
        plan: the exact policy, to compare with and to stand in.
        good: whether the state is good.
        belief: to begin with.
        uniforms: ``(T,)`` in [0, 1); a signal is right below its precision.
        planner: answers with a precision on its last line; None is the exact policy. Where an answer cannot be read, or
            is out of range, the signal has the baseline's precision.
        agent: answers HIGH or LOW on its last line; None weighs exactly, as does one whose answer cannot be read.

    >>> from coopgym.oracles import HerdPlanner
    >>> plan = HerdPlanner(beliefs=201).solve(Herd(cost=2.5))
    >>> run = play_with_roles(plan, True, 0.5, np.full(4, 0.7), planner=lambda text: "Let me be clear.\n1.00")
    >>> run.turns[0].action, run.turns[1].precision, run.turns[1].exact_precision, run.unreadable
    (True, 1.0, 0.6, {'planner': 0, 'agent': 0})
    """
    herd, current = plan.herd, float(belief)
    turns: list[Turn] = []
    unreadable = {"planner": 0, "agent": 0}
    for draw in np.asarray(uniforms, dtype=np.float64).tolist():
        exact = float(plan.choose(current))
        chosen, history = exact, _history(turns)
        if planner is not None:
            read = _read_precision(planner(planner_prompt(herd, current, history)), herd.least_precision)
            unreadable["planner"] += read is None
            chosen = herd.baseline if read is None else read
        signal = (draw < chosen) == good
        answered, after = _answered(herd, np.array([current]), np.array([chosen]), np.array([signal]))
        action = weighed = bool(answered[0])
        if agent is not None:
            said = _read_action(agent(agent_prompt(herd, current, chosen, signal, history)))
            unreadable["agent"] += said is None
            action = weighed if said is None else said
        lost = float(_loss(herd, np.array([action]), np.array([good]))[0])
        turns.append(Turn(current, chosen, exact, bool(signal), action, weighed, lost))
        current = float(after[0]) if action == weighed else _moved(herd, current, chosen, action)
    return RolesRun(tuple(turns), unreadable)


def planner_prompt(herd: Herd, belief: float, history: str) -> str:
    """Return what the planner reads."""
    good, bad = herd.losses
    aim = AIMS[herd.planner].format(good=good, bad=bad, stake=herd.stake)
    return PLANNER_PROMPT.format(
        belief=belief,
        least=herd.least_precision,
        baseline=herd.baseline,
        step_cost=0.1 * herd.cost,
        aim=aim,
        history=history,
    )


def agent_prompt(herd: Herd, belief: float, precision: float, signal: bool, history: str) -> str:
    """Return what an agent reads."""
    good, bad = herd.losses
    said = "reciprocate" if signal else "defect"
    return AGENT_PROMPT.format(good=good, bad=bad, belief=belief, precision=precision, signal=said, history=history)


def _history(turns: list[Turn]) -> str:
    shown = ["HIGH" if turn.action else "LOW" for turn in turns[-SHOWN:]]
    return ", ".join(shown) if shown else "none"


def _read_precision(answer: str, least: float) -> float | None:
    """Return the precision on the last line, None where there is none that is allowed."""
    try:
        level = read_level(_last_line(answer))
    except IllegalCallError:
        return None
    return level if least <= level <= 1.0 else None


def _read_action(answer: str) -> bool | None:
    written = _ACTION.fullmatch(_last_line(answer))
    return None if written is None else written[1].lower() == "high"


def _last_line(answer: str) -> str:
    lines = answer.strip().splitlines()
    return lines[-1].strip() if lines else ""


def _answered(
    herd: Herd, beliefs: FloatArray, precisions: FloatArray, signals: BoolArray
) -> tuple[BoolArray, FloatArray]:
    """Return what agents do who weigh what they know ``(R,)``, and the beliefs after."""
    step = herd.step(beliefs, precisions)
    action = np.where(step.follows, signals, step.chances[..., 0] > 0.5)
    return action, np.where(action, step.beliefs[..., 0], step.beliefs[..., 1])


def _moved(herd: Herd, belief: float, precision: float, action: bool) -> float:
    """Return the belief after an action that is not what an agent who weighs what it knows does."""
    step = herd.step(belief, precision)
    return float(step.beliefs[0 if action else 1])


def _loss(herd: Herd, actions: BoolArray, good: BoolArray) -> FloatArray:
    return np.where(actions == good, 0.0, np.where(good, herd.losses[0], herd.losses[1]))
