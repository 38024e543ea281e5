"""What ``coopgym steer`` shows: policy over beliefs, phases, and welfare moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from coopgym.benchmarks.drawing.formatting import signed
from coopgym.benchmarks.drawing.herd_figures import moved_figure, policy_figure
from coopgym.benchmarks.drawing.terminal import TerminalConsole, ruled_table
from coopgym.benchmarks.report import PageHead, page_of
from coopgym.benchmarks.report.content.blocks import Cell, Chart, Column, Gallery, Section, Table
from coopgym.oracles.mechanism_design.herd import HerdPlan, HerdPlanner
from coopgym.oracles.mechanism_design.herd_games import HerdGame

KICKER = "coopgym steer"
FREE, TRANSPARENT = "free", "transparent"
"""The planner, and the same one when no signal may be less clear than the baseline."""
HOW = (
    "Newcomers come one by one and see what those before them did, and a private signal that is right with the "
    "precision that the planner picks. They play high if their partners seem to reciprocate, else low. Line: the "
    "precision picked; its small teeth are those of the grid. Dashed: the least at which newcomers go by their "
    "signals; below it they all do the same, and nothing is learned. Shaded: what the planner does there, against the "
    "baseline, which costs nothing."
)


@dataclass(frozen=True, eq=False)
class Steered:
    """A herd in a game, and what its planner does."""

    game: HerdGame
    plans: Mapping[str, HerdPlan]

    @property
    def free(self) -> HerdPlan:
        """The plan of a planner who may do anything."""
        return self.plans[FREE]


def steered(game: HerdGame, planner: HerdPlanner | None = None) -> Steered:
    """Solve a herd with and without the constraint of transparency.

    Raises:
        SolverError: iteration has not converged.
    """
    solver = HerdPlanner() if planner is None else planner
    herds = {FREE: game.herd, TRANSPARENT: game.herd.transparent()}
    return Steered(game, {name: solver.solve(herd) for name, herd in herds.items()})


def in_words(found: Steered) -> str:
    """Say what the planner does, and what that moves at even odds."""
    moved, middle = found.game.unit * found.free.welfare_moved(), len(found.free.beliefs) // 2
    below = [phase for phase in found.free.phases() if phase.name == "below baseline"]
    blurs = (
        f"blurs signals at beliefs from {below[0].low:.3f} to {below[-1].high:.3f}" if below else "never blurs signals"
    )
    return (
        f"The {found.free.herd.planner} planner {blurs}; at even odds it moves the payoff of an agent by "
        f"{signed(float(moved[middle]), 3)}, at most by {signed(float(moved[np.abs(moved).argmax()]), 3)}."
    )


def print_steered(console: TerminalConsole, found: Steered) -> None:
    """Show phases and what the planner moves, free and transparent."""
    game = found.game
    good, bad = game.costs_of_error
    console.print(
        f"{game.game}, seat {game.seat}: high {game.high:.3f}, low {game.low:.3f} of the endowment; playing low with "
        f"partners who reciprocate costs {good:.3f}, high with those who defect {bad:.3f}.",
        highlight=False,
    )
    table = ruled_table(title=f"phases of the {game.herd.planner} planner", collapse_padding=True)
    for name in ("planner", "beliefs", "what it does", "precision", "payoff moved"):
        table.add_column(name, no_wrap=True)
    for row in _phase_rows(found):
        table.add_row(*row)
    console.print(table)
    console.print(in_words(found), highlight=False)
    console.print("payoff moved: per agent, mean over the phase, against signals left at the baseline", highlight=False)


def _phase_rows(found: Steered) -> Iterator[tuple[str, ...]]:
    for name, plan in found.plans.items():
        moved, told = found.game.unit * plan.welfare_moved(), name
        for phase in plan.phases():
            inside = (plan.beliefs >= phase.low) & (plan.beliefs <= phase.high)
            picked = plan.precisions[inside]
            span = f"{picked.min():.2f}" if np.ptp(picked) < 0.005 else f"{picked.min():.2f} to {picked.max():.2f}"
            beliefs = f"{phase.low:.3f} to {phase.high:.3f}"
            yield told, beliefs, phase.name, span, signed(float(moved[inside].mean()), 3)
            told = ""


def steering_rows(found: Steered) -> Iterator[dict[str, Any]]:
    """Yield a tidy row per planner and belief."""
    for name, plan in found.plans.items():
        columns = (plan.beliefs, plan.precisions, found.game.unit * plan.values, found.game.unit * plan.welfare_moved())
        for belief, precision, value, moved, label in zip(*(c.tolist() for c in columns), plan.labels(), strict=True):
            yield {
                "game": found.game.game,
                "planner": f"{plan.herd.planner}, {name}",
                "belief": belief,
                "precision": precision,
                "phase": label,
                "value": value,
                "payoff_moved": moved,
            }


def steering_record(found: Steered) -> dict[str, Any]:
    """Return everything as JSON has it: payoff units, phases, and what the audit of the policy found."""
    game, herd = found.game, found.game.herd
    return {
        "game": game.game,
        "seat": game.seat,
        "levels": [game.low, game.high],
        "costs_of_error": list(game.costs_of_error),
        "unit": game.unit,
        "planner": {
            "kind": herd.planner,
            "baseline": herd.baseline,
            "cost": herd.cost,
            "stake": herd.stake,
            "discount": herd.discount,
        },
        "plans": {
            name: {
                "phases": [[phase.name, phase.low, phase.high] for phase in plan.phases()],
                "precisions": plan.precisions.tolist(),
                "payoff_moved": (game.unit * plan.welfare_moved()).tolist(),
                "faults": plan.planner.audit(plan.herd, plan),
            }
            for name, plan in found.plans.items()
        },
    }


def steering_page(found: Steered) -> str:
    """Return the page: policies over beliefs with their phases, and what they move."""
    game = found.game
    good, bad = game.costs_of_error
    facts = {
        "high, low": f"{game.high:.2f}, {game.low:.2f}",
        "cost of distrust": f"{good:.3f}",
        "cost of misplaced trust": f"{bad:.3f}",
        "discount": f"{game.herd.discount:g}",
    }
    charts = [
        Chart(
            f"policy-{name}",
            f"Precision that the {name} planner picks in {game.game}, by belief",
            partial(policy_figure, plan, f"{plan.herd.planner} planner, {name}"),
        )
        for name, plan in found.plans.items()
    ]
    charts.append(
        Chart(
            "welfare-moved",
            f"Payoff that the planner moves in {game.game}, by belief",
            partial(moved_figure, found.plans, game.unit, "payoff moved"),
        )
    )
    columns = [Column(name) for name in ("planner", "beliefs", "what it does", "precision", "payoff moved")]
    table = Table(
        columns,
        [[Cell(text) for text in row] for row in _phase_rows(found)],
        "Payoff moved: per agent, mean over the phase, against signals left at the baseline.",
    )
    section = Section("policy", "What the planner does", HOW, [Gallery(charts), table], in_words(found))
    return page_of([section], PageHead(KICKER, game.game, "Steering the herd."), facts)
