"""What ``coopgym hire`` shows: whom to pay, what the information is worth, and the audit of incentives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import percent
from coopgym.benchmarks.drawing.plots.lines import Axis, Line, lines
from coopgym.benchmarks.drawing.terminal import TerminalConsole, ruled_table
from coopgym.benchmarks.drawing.theme import HUES
from coopgym.benchmarks.report import PageHead, page_of
from coopgym.benchmarks.report.content.blocks import Beside, Cell, Chart, Column, Section, Table
from coopgym.oracles.mechanism_design.hiring import Contract, HiringPlanner, Violation, deviations
from coopgym.oracles.mechanism_design.survey import Survey

KICKER = "coopgym hire"
SHOWN = 1e-6
"""Probability from which a recommendation is shown."""


@dataclass(frozen=True, eq=False)
class Hired:
    """A survey, the best contract for it, and its audit."""

    survey: Survey
    contract: Contract
    slack: float
    tried: int
    """Deviations: efforts with ways to report."""
    worst: Violation
    """The one that gains most."""
    violations: int

    def profiles(self) -> Iterator[tuple[tuple[int, ...], float]]:
        """Yield profiles of efforts that are recommended, with their probabilities."""
        for profile in self.survey.problem.profiles():
            if (chance := float(self.contract.mix[profile])) > SHOWN:
                yield profile, chance

    def paid(self, profile: tuple[int, ...], agent: int) -> float:
        """Return what an analyst is paid on average under a profile, payoff units."""
        problem = self.survey.problem
        return self.survey.unit * float(
            (problem.information[profile] * self.contract.payments[(agent, *profile)]).sum()
        )


def hired(survey: Survey, slack: float = 0.0) -> Hired:
    """Solve and audit a survey.

    Raises:
        SolverError: no contract makes effort and truth worthwhile.
    """
    planner, problem = HiringPlanner(slack=slack), survey.problem
    contract = planner.solve(problem)
    tried = [each for agent in range(problem.agents) for each in deviations(problem, contract, agent, slack)]
    worst = max(tried, key=lambda each: each.gain)
    return Hired(survey, contract, slack, len(tried), worst, len(planner.audit(problem, contract)))


def in_words(found: Hired) -> str:
    """Say whom to hire and what that is worth."""
    survey, contract = found.survey, found.contract
    working = [_who(profile) for profile, _ in found.profiles()]
    gained = survey.gained(contract)
    if working == [_who((0,) * survey.problem.agents)]:
        worth = survey.worth_of_knowing
        return (
            f"Hire nobody: perfect information would be worth {worth:.3g} per step, and no contract brings more than "
            "it costs."
        )
    return (
        f"Hire {' or '.join(working)}: worth {gained:.3g} per step of play after payments of "
        f"{contract.paid * survey.unit:.3g}; perfect information would be worth {survey.worth_of_knowing:.3g}."
    )


def audit_in_words(found: Hired) -> str:
    """Say how much the best of all deviations gains."""
    verdict = "incentives hold" if not found.violations else f"{found.violations} of them gain"
    return (
        f"Audit: {found.tried} deviations of effort and report tried, the best gains "
        f"{max(0.0, found.worst.gain) * found.survey.unit:.1e}: {verdict}."
    )


def print_hired(console: TerminalConsole, found: Hired) -> None:
    """Show whom to hire, what the information is worth, and the audit."""
    survey = found.survey
    table = ruled_table(
        title=f"{survey.game}: {', '.join(survey.situations)}",
        caption="payoff per step; decisions: what choosing on true reports brings above choosing blindly",
        collapse_padding=True,
    )
    table.add_column("who works")
    for name in ("recommended", "decisions", *(f"pay {agent + 1}" for agent in range(survey.problem.agents))):
        table.add_column(name, justify="right", no_wrap=True)
    for profile, chance in found.profiles():
        table.add_row(_who(profile), percent(chance, 1), f"{_decisions(found, profile):.5f}", *_pays(found, profile))
    console.print(table)
    shares = ", ".join(
        f"{share:.2f} if {name}" for name, share in zip(survey.situations, survey.best_shares, strict=True)
    )
    console.print(f"Best share: {shares}; {survey.blind_share:.2f} without knowing.", highlight=False)
    console.print(in_words(found), highlight=False)
    console.print(audit_in_words(found), highlight=False)


def hiring_rows(found: Hired) -> Iterator[dict[str, Any]]:
    """Yield a tidy row per profile of efforts, recommended or not."""
    survey, contract = found.survey, found.contract
    for profile in survey.problem.profiles():
        yield {
            "game": survey.game,
            "situations": ", ".join(survey.situations),
            "who_works": _who(profile),
            "recommended": float(contract.mix[profile]),
            "decisions": _decisions(found, profile),
            **{f"pay_{agent + 1}": found.paid(profile, agent) for agent in range(survey.problem.agents)},
        }


def hiring_record(found: Hired) -> dict[str, Any]:
    """Return everything as JSON has it: payoff units, and payments by profile, reports and situation."""
    survey, contract = found.survey, found.contract
    return {
        "game": survey.game,
        "situations": list(survey.situations),
        "shares": survey.shares.tolist(),
        "payoffs": survey.payoffs.tolist(),
        "worth_of_knowing": survey.worth_of_knowing,
        "gained": survey.gained(contract),
        "paid": contract.paid * survey.unit,
        "slack": found.slack * survey.unit,
        "profiles": list(hiring_rows(found)),
        "payments": (contract.payments * survey.unit).tolist(),
        "audit": {
            "deviations": found.tried,
            "violations": found.violations,
            "best_gain": found.worst.gain * survey.unit,
        },
    }


def hiring_page(found: Hired) -> str:
    """Return the page: what each level brings in each situation, whom to hire, and how reports are paid."""
    survey = found.survey
    facts = {
        "analysts": f"{survey.problem.agents}",
        "worth of knowing, per step": f"{survey.worth_of_knowing:.3g}",
        "gained, per step": f"{survey.gained(found.contract):.3g}",
        "paid, per step": f"{found.contract.paid * survey.unit:.3g}",
    }
    chart = Chart(
        "payoffs-by-situation",
        f"Payoff of {survey.game} by share of endowment in each situation",
        partial(_payoff_figure, survey),
        "Dots: the best share in each situation.",
    )
    columns = [Column("who works"), Column("recommended"), Column("decisions", "brought above choosing blindly")]
    columns += [Column(f"pay {agent + 1}", "on average") for agent in range(survey.problem.agents)]
    rows = [
        [
            Cell(_who(profile)),
            Cell(percent(chance, 1), chance),
            Cell(f"{_decisions(found, profile):.5f}", _decisions(found, profile)),
            *(Cell(text) for text in _pays(found, profile)),
        ]
        for profile, chance in found.profiles()
    ]
    hire = Section(
        "hire",
        "Whom to hire",
        "Before play the principal draws who works, tells each analyst its own part, collects reports, chooses a "
        "share, and pays once it has seen what the case was.",
        [Beside(chart, Table(columns, rows, "Payoff per step.")), *_payment_tables(found)],
        in_words(found),
    )
    audit = Section(
        "audit",
        "Whether incentives hold",
        "Every effort that an analyst could make instead, with every way to report its signals, is valued exactly.",
        [_audit_table(found)],
        audit_in_words(found),
    )
    return page_of([hire, audit], PageHead(KICKER, survey.game, "Survey before play."), facts)


def _payoff_figure(survey: Survey) -> Figure:
    drawn = [
        Line(name, 100 * survey.shares, survey.payoffs[:, number], colour, dot=int(survey.payoffs[:, number].argmax()))
        for number, (name, colour) in enumerate(zip(survey.situations, _colours(len(survey.situations)), strict=True))
    ]
    return lines(
        drawn, Axis("share of endowment, %", (0.0, 100.0)), Axis("payoff per step"), title="what choosing brings"
    )


def _colours(count: int) -> list[str]:
    hues = list(HUES.values())
    return [hues[number % len(hues)] for number in range(count)]


def _payment_tables(found: Hired) -> Iterator[Table]:
    """Yield how the reports of each hired analyst are paid, the others' being what they are."""
    problem, survey = found.survey.problem, found.survey
    for profile, _ in found.profiles():
        for agent in (agent for agent, effort in enumerate(profile) if effort):
            chances = problem.information[profile]
            paid = chances * found.contract.payments[(agent, *profile)]
            others = tuple(axis for axis in range(problem.agents) if axis != agent)
            reported, told = chances.sum(others), paid.sum(others)
            mean = survey.unit * np.divide(told, reported, out=np.zeros_like(told), where=reported > 0.0)
            columns = [Column("report"), *(Column(f"if {name}") for name in survey.situations)]
            rows = [
                [Cell(name), *(Cell(f"{value:.5f}", value) for value in row)]
                for name, row in zip(survey.situations, mean.tolist(), strict=True)
            ]
            yield Table(columns, rows, f"{_who(profile)}: mean payments to analyst {agent + 1}, by its report.")


def _audit_table(found: Hired) -> Table:
    problem, unit = found.survey.problem, found.survey.unit
    best: dict[tuple[int, int, int], Violation] = {}
    for agent in range(problem.agents):
        for each in deviations(problem, found.contract, agent, found.slack):
            key = (agent, each.recommended, each.effort)
            if key not in best or each.gain > best[key].gain:
                best[key] = each
    columns = [Column(name) for name in ("analyst", "told to", "does", "reports", "gain")]
    rows = [
        [
            Cell(f"{agent + 1}", agent),
            Cell(_effort(told)),
            Cell(_effort(made)),
            Cell("the truth" if list(each.reports) == sorted(set(each.reports)) else "otherwise"),
            Cell(f"{each.gain * unit:.2e}", each.gain),
        ]
        for (agent, told, made), each in best.items()
    ]
    return Table(columns, rows, "The best way to report by effort; gains in payoff per step, weighted with being told.")


def _decisions(found: Hired, profile: tuple[int, ...]) -> float:
    problem = found.survey.problem
    return found.survey.unit * float(problem.values[profile] - problem.blind_value)


def _pays(found: Hired, profile: tuple[int, ...]) -> Iterator[str]:
    return (f"{found.paid(profile, agent):.5f}" for agent in range(len(profile)))


def _who(profile: tuple[int, ...]) -> str:
    working = [f"{agent + 1}" for agent, effort in enumerate(profile) if effort]
    return f"analyst {' and '.join(working)}" if working else "nobody"


def _effort(effort: int) -> str:
    return "work" if effort else "shirk"
