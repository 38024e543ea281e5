"""What whole episodes are worth: best plans, proved bounds and what they are measured against, as records and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table

from coopgym.games.game import AnyGame
from oracles.dynamic.optima import deterrence, dynamic_optima, dynamic_record

Record = dict[str, Any]

MODES = ("private", "integrated", "cooperative")
HEADINGS = (
    "game",
    "reward",
    "best plan",
    "upper bound",
    "over best constant",
    "over best heuristic",
    "over best oracle",
    "deterred",
    "search",
)


def plan_record(game: AnyGame, rewards: Sequence[str] = MODES) -> Record:
    """Plan an episode of a game under each reward and return everything as plain data."""
    optima = dynamic_optima(game, rewards)
    record: Record = {
        "game": game.spec.id,
        "parameters": game.parameter_dict(),
        "horizon": game.spec.horizon,
        "plans": {mode: dynamic_record(optimum) for mode, optimum in optima.items()},
    }
    for mode, optimum in optima.items():
        threat = deterrence(game, optimum.plan)
        record["plans"][mode]["deterred_steps"] = None if threat is None else threat.prefix
    return record


def plan_rows(record: Record) -> Iterable[tuple[str, ...]]:
    """Return the cells of a record's table, one row per reward, under `HEADINGS`."""
    for mode, plan in record["plans"].items():
        steps = plan["deterred_steps"]
        yield (
            record["game"],
            mode,
            f"{plan['value']:.6g}",
            "none proved" if plan["upper_bound"] is None else f"+{100 * plan['relative_gap']:.2g} %",
            *(_gain(plan["value"], plan[kind]) for kind in ("best_constant", "best_heuristic", "best_oracle")),
            "no threat" if steps is None else f"{steps} of {record['horizon']}",
            f"{plan['status']}, residual {plan['residual']:.0e}",
        )


def plan_table(records: Iterable[Record]) -> Table:
    """Return records as a table for the screen."""
    table = Table(*HEADINGS, box=None, header_style="bold")
    for record in records:
        for row in plan_rows(record):
            table.add_row(*row)
    return table


def plans_markdown(records: Iterable[Record]) -> str:
    """Return records as a Markdown page."""
    lines = [_INTRODUCTION, "| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
    lines += ["| " + " | ".join(row) + " |" for record in records for row in plan_rows(record)]
    return "\n".join(lines) + "\n"


_INTRODUCTION = """# What whole episodes are worth

The best plan found for all seats together, from the opening to the horizon, under each reward mode. Written by
`coopgym plan --all`.

- **best plan**: sum of the seats' undiscounted returns.
- **upper bound**: how far above the plan the proved bound on every plan lies; the released edition has none.
- **over ...**: gain over the best constant profile (101 common ones and one refined seat by seat), the best scripted
  agent in self-play, and the best oracle in self-play. Zero where holding a constant is optimal.
- **deterred**: the first steps in which no seat gains privately by leaving the plan, if all then revert to the worst
  private equilibrium of commitment play; the last steps have no future to lose.
- **search**: whether the projected gradient vanishes at the plan (converged), or the plan rests on a kink or threshold
  of the game (stopped), with its residual.
"""


def _gain(value: float, yardstick: Record | None) -> str:
    if yardstick is None:
        return "none"
    gain = 100.0 * (value - yardstick["value"]) / abs(yardstick["value"])
    return f"+{gain:.4f} % ({yardstick['name']})"
