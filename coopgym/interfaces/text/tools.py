"""What a player can ask and do in its seat.

Every tool computes from what its seat has seen and from the rules of the game, never from the game being played.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from coopgym.interfaces.text.action_parsing import STEPS, short_number
from coopgym.interfaces.text.arguments import Count, Level, Levels, Profile
from coopgym.interfaces.text.observation_text import row, short_row, shown_blocks
from coopgym.interfaces.text.schemas import Report, Tool
from coopgym.interfaces.text.seat_memory import SeatMemory

FARTHEST = 20
"""Rounds that a simulation looks ahead at most."""
GRID = np.arange(STEPS + 1) / STEPS

Others = Annotated[float, Profile(), "the others' level, one for all of them or a list with one for each."]

_RELATIONS = ("trust", "trust_received", "damage", "standing", "public_damage")


def observe(memory: SeatMemory) -> Report:
    """Show the blocks of the observation by name."""
    blocks = shown_blocks(memory)
    facts = {"round": memory.round + 1, "rounds": memory.game.spec.horizon}
    brief = " ".join(f"{name} {short_row(values)}" for name, values in blocks.items())
    return Report({**facts, **{name: row(values) for name, values in blocks.items()}}, brief)


def partner_history(memory: SeatMemory, k: Annotated[int, Count(FARTHEST), "how many rounds to look back."]) -> Report:
    """List the last ``k`` rounds as shares of endowment, oldest first."""
    own = memory.own_shares[-k:]
    others = memory.partners_shares[-k:]
    facts: dict[str, Any] = {"rounds": len(own), "you": [round(share, 2) for share in own]}
    if not memory.sees_partners:
        return Report({**facts, "others": "your information does not show them"}, "hidden")
    facts["others"] = [row(shares) for shares in others]
    return Report(facts, " ".join(short_number(float(shares.mean())) for shares in others) or "none")


def payoff(
    memory: SeatMemory, own: Annotated[float, Level(), "your level, a share of your endowment."], partner: Others
) -> Report:
    """Compute one round of a joint action."""
    rewards, payoffs = memory.world_model.stage(memory.profile(own, memory.others(partner)))
    seat = memory.seat.index
    others = np.delete(payoffs, seat)
    facts = {
        "your_reward": _amount(rewards[seat]),
        "your_payoff": _amount(payoffs[seat]),
        "others_payoffs": row(others, 4),
    }
    return Report(facts, _brief(memory, rewards[seat], others.mean()))


def trust_report(memory: SeatMemory) -> Report:
    """Show the relations that the view shows."""
    shown = {name: block for name in _RELATIONS if (block := memory.seen(name)) is not None}
    brief = " ".join(short_number(float(block.mean())) for block in shown.values())
    return Report({name: row(block) for name, block in shown.items()}, brief)


def simulate(
    memory: SeatMemory,
    plan: Annotated[list[float], Levels(FARTHEST), "your levels round by round; the last one is repeated."],
    horizon: Annotated[int, Count(FARTHEST), "how many rounds to look ahead."],
) -> Report:
    """Play a plan against partners that repeat their last levels."""
    own = [plan[min(step, len(plan) - 1)] for step in range(horizon)]
    path = [memory.profile(level, memory.last_partners) for level in own]
    steps = list(memory.world_model.continued(path))
    seat = memory.seat.index
    rewards = np.array([reward[seat] for reward, _ in steps])
    payoffs = np.array([transition.payoffs for _, transition in steps])
    others = np.delete(payoffs, seat, axis=1)
    trust = np.delete(steps[-1][1].state.trust[seat], seat)
    facts = {
        "rounds": len(steps),
        "your_rewards": row(rewards, 4),
        "your_reward_per_round": _amount(rewards.mean()),
        "your_payoff_per_round": _amount(payoffs[:, seat].mean()),
        "others_payoff_per_round": _amount(others.mean()),
        "your_mean_trust_then": round(float(trust.mean()), 2),
        "relation_ends": bool(steps[-1][1].terminated),
    }
    return Report(facts, _brief(memory, rewards.mean(), others.mean()))


def best_response(memory: SeatMemory, partner: Others) -> Report:
    """Search the grid of levels for the best one against a joint action of the others."""
    rewards, payoffs = memory.world_model.stage(memory.profile(GRID, memory.others(partner)))
    own = rewards[:, memory.seat.index]
    best = int(own.argmax())
    facts = {
        "level": float(GRID[best]),
        "your_reward": _amount(own[best]),
        "your_payoff": _amount(payoffs[best, memory.seat.index]),
    }
    return Report(facts, f"{short_number(float(GRID[best]))} {_units(memory, own[best])}")


def submit(
    memory: SeatMemory, level: Annotated[float, Level(), "the share of your endowment to put in this round."]
) -> Report:
    """Play a level."""
    return Report({"played": level}, short_number(level))


TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool.of(
            observe,
            "Look at everything your information shows now, in numbers: last levels, relations, stocks and time.",
        ),
        Tool.of(
            partner_history,
            "List what you and the others played in the last rounds, as shares of endowment, oldest first.",
        ),
        Tool.of(
            payoff, "Work out what one round pays if you play one level and the others another, as things stand now."
        ),
        Tool.of(
            trust_report,
            "Report trust and reputation between you and the others, as far as your information shows them.",
        ),
        Tool.of(simulate, "Play the coming rounds in your head; the others repeat their last levels."),
        Tool.of(
            best_response,
            "Find the level that earns you the most in one round, as things stand now, if the others play a given "
            "level.",
        ),
        Tool.of(submit, "Play a level. This ends your decision, so it must be the last call of a message."),
    )
}
"""The tools by name."""


def chosen_tools(tools: Sequence[str | Tool] | None) -> dict[str, Tool]:
    """Return tools by name; None are all of them.

    Raises:
        ValueError: an unknown name, the same name twice, or no way to submit.
    """
    if tools is None:
        return TOOLS
    chosen: dict[str, Tool] = {}
    for entry in [tools] if isinstance(tools, str) else tools:
        if isinstance(entry, str) and entry not in TOOLS:
            raise ValueError(f"unknown tool {entry!r}; known: {', '.join(TOOLS)}, or a Tool of your own")
        tool = TOOLS[entry] if isinstance(entry, str) else entry
        if tool.name in chosen:
            raise ValueError(f"tool {tool.name!r} is given twice")
        chosen[tool.name] = tool
    if "submit" not in chosen:
        raise ValueError(f"tools={list(chosen)}: a decision ends with 'submit', which must be among them")
    return chosen


def _amount(value: float) -> float:
    return round(float(value), 4)


def _units(memory: SeatMemory, value: float) -> str:
    return short_number(float(value) / memory.payoff_unit, 3)


def _brief(memory: SeatMemory, reward: float, others: float) -> str:
    return f"{_units(memory, reward)} {_units(memory, others)}"
