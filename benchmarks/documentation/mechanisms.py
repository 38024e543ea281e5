"""What planners reach, from kept results: hiring, herds, hidden exploration, budgets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from coopgym.benchmarks.documentation.wording import listed, paragraph, short, table
from coopgym.benchmarks.drawing.formatting import signed
from coopgym.benchmarks.experiments.mechanisms.measurements import HORIZONS, KEPT, ROLE_AGENTS, ROLE_SEEDS
from coopgym.benchmarks.experiments.rewards.kept import Kept, kept

CHOOSERS = {"all": "all seats together", "seat": "one seat, the others at the norm"}


@cache
def _record() -> Kept:
    return kept(KEPT)


def _part(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _record()["parts"][name]
    return found


def source() -> str:
    """Say where the numbers of the page come from."""
    record = _record()
    return paragraph(f"""
        Tables and numbers between marks are kept results of {record["date"]}, measured by `{record["command"]}`, which
        measures again what is missing. Games are of the formal edition, and their payoffs are in mean endowments per
        step unless something else is said.
    """)


def hiring() -> str:
    """Return whom it pays to hire, and what information is worth, by game."""
    rows, tried, gains = [], 0, []
    for chooser, surveys in _part("hiring").items():
        for name, found in surveys.items():
            shares = " / ".join(f"{share:.2f}" for share in found["best shares"])
            rows.append(
                (
                    _survey_name(name),
                    CHOOSERS[chooser],
                    f"{shares} ({found['blind share']:.2f})",
                    f"{found['worth of knowing']:.5f}",
                    _hired(found["mix"]),
                    f"{found['paid']:.5f}",
                    f"{found['gained']:.5f}",
                )
            )
            tried += found["deviations"]
            gains.append(found["best gain"])
    words = paragraph(f"""
        Payoff per step. Two analysts are right with probability 0.8 and 0.75 if they work, which costs a tenth of what
        perfect information is worth, and no payment is above all of that. Audit: of {tried:,} deviations of effort and
        report in these contracts the best gains {max(gains):.0e}.
    """)
    headings = ("survey", "who chooses", "best shares (blind)", "worth of knowing", "hired", "paid", "gained")
    return f"{table(headings, rows)}\n\n{words}"


def _survey_name(name: str) -> str:
    game, _, question = name.partition(": ")
    return f"{short(game)}: {question}"


def _hired(mix: Mapping[str, float]) -> str:
    chosen = [
        f"analyst {listed(str(agent + 1) for agent, effort in enumerate(profile) if effort == '1')}"
        for profile, chance in mix.items()
        if chance > 1e-6 and "1" in profile
    ]
    return " or ".join(chosen) or "nobody"


def correlated() -> str:
    """Say what correlation between recommendations adds, and where."""
    found = _part("correlated")
    together, apart = found["correlated"], found["independent"]
    gain = together["value"] - apart["value"]
    return paragraph(f"""
        On `crowded_survey` the best contract is worth {together["value"]:.4f} and the best that draws each surveyor's
        effort by itself {apart["value"]:.4f}: {gain:.4f} more, where all that surveys can bring above deciding blindly
        is {max(found["decisions"]) - found["blind"]:.4f} before payments. It has both work with probability
        {together["mix"][3]:.3f}, each alone with {together["mix"][1]:.3f}, and never nobody; drawn independently nobody
        works with probability {apart["mix"][0]:.3f}. Deviations that gain: {found["deviations that gain"]}.
    """)


def learning() -> str:
    """Return how regret of learning whom to hire grows with the horizon."""
    found = _part("learning")
    rows = [
        (f"{horizon:,}", _interval(found["regret"][str(horizon)], 0), f"{found['obeyed'][str(horizon)]:.2f}")
        for horizon in HORIZONS
    ]
    words = paragraph(f"""
        Regret against the best contract, worth {found["best"]:.4f} a round, and the share of seeds in which all agents
        obey what was learned; 95 % intervals over seeds. Slope of logarithms: {_interval(found["slope"], 3)}; theory
        says 2/3, up to logarithms.
    """)
    return f"{table(('rounds', 'regret', 'obeyed'), rows)}\n\n{words}"


def herds() -> str:
    """Return phases and what is moved, by game and planner."""
    rows = []
    for game, found in _part("herds").items():
        good, bad = found["costs of error"]
        told = (short(game), f"{found['low']:.2f} / {found['high']:.2f}", f"{good:.3f} / {bad:.3f}")
        for planner, plan in found["planners"].items():
            moved = " / ".join(signed(value, 3) for value in plan["moved"].values())
            rows.append((*told, planner, _phases(plan["phases"]), moved))
            told = ("", "", "")
    words = paragraph("""
        Cost of error: of playing low with partners who reciprocate / high with those who defect. Phases: beliefs at
        which the planner leaves the baseline of 0.7, which costs nothing; a unit of precision away from it costs 0.3
        mean costs of error; discount 0.9. Moved: payoff per agent against signals left at the baseline, at beliefs
        0.25 / 0.5 / 0.75. Transparent: no signal may be less clear than the baseline.
    """)
    headings = ("game", "low / high", "cost of error", "planner", "phases", "moved")
    return f"{table(headings, rows)}\n\n{words}"


def _phases(phases: list[tuple[str, float, float]]) -> str:
    return "; ".join(f"{name} {low:.3f} to {high:.3f}" for name, low, high in phases if name != "baseline")


def exploration() -> str:
    """Return how much may be explored under cover, exactly and by the textbook."""
    rows = [
        (
            name,
            f"{found['exact']:.4f}",
            f"{found['any learner']:.4f}",
            f"{found['conservative']:.4f}",
            f"{found['ratio']:.1f}",
            f"{found['incentives above'][1]:.1e}",
            f"{found['lag']:.3f}",
            f"{found['never tried']:.3f}",
        )
        for name, found in _part("hidden exploration").items()
    ]
    headings = (
        "priors",
        "exact",
        "any learner",
        "textbook",
        "exact / textbook",
        'told "2", a hundredth above',
        "lag",
        "greed never tries",
    )
    words = paragraph("""
        Largest chance of exploring at which nobody loses by following; what agents who are told "2" gain a hundredth
        above the exact one; how far the mean of arm 2 lags; and how likely 1,000 agents who see everything and care for
        themselves never try it.
    """)
    return f"{table(headings, rows)}\n\n{words}"


def knapsacks() -> str:
    """Say what learners within a budget earn."""
    found, settings = _part("knapsacks"), _record()["settings"]
    learners = ("LagrangeBwK", "UcbBwK", "BalancedElimination")
    earned = listed(f"{name} {_interval(found[name], 0)}" for name in learners)
    return paragraph(f"""
        Two arms that earn 0.9 and 0.5 and use 0.8 and 0.2 on average, drawn at random, a budget of
        {settings["budget"]:,.0f} for {settings["rounds"]:,} rounds, {settings["knapsack seeds"]} seeds: the programme
        allows {found["programme"]:,.0f}, as does the Lagrange game, the best fixed arm earns
        {found["best fixed arm"]:,.0f}. Learned: {earned}, with 95 % intervals.
    """)


def budgets() -> str:
    """Return what mixing levels within a budget is worth, by game."""
    rows = [
        (
            short(game),
            found["resource"],
            f"{found['unlimited'] * found['unit']:.4f}",
            f"{found['best fixed arm'] * found['unit']:.4f}",
            f"{found['programme'] * found['unit']:.4f}",
            " and ".join(f"{share} ({weight:.2f})" for share, weight in found["mix"].items()),
        )
        for game, found in _part("budgets").items()
    ]
    rounds, budget = _record()["settings"]["episode"]
    words = paragraph(f"""
        Payoff per step above resting, of seat 0 in the initial state, partners at the norm: the best level without a
        budget, the best level within {budget:g} for {rounds} steps, and the best mix of levels, as shares of endowment.
    """)
    return f"{table(('game', 'resource', 'unlimited', 'one level', 'mix', 'which'), rows)}\n\n{words}"


def roles() -> str:
    """Return how roles that answer in words compare with the exact planner and agents."""
    rows = [
        (
            name,
            _interval(found["lost"], 2),
            f"{found['precision error']:.3f}",
            f"{found['agreement']:.2f}",
            f"{found['unreadable']['planner'] + found['unreadable']['agent']:,}",
        )
        for name, found in _part("roles").items()
    ]
    words = paragraph(f"""
        ReputationMarket, biased planner, from even odds: {ROLE_SEEDS} herds of {ROLE_AGENTS} agents. Lost: per agent,
        in mean costs of error, with 95 % intervals over herds; error: mean distance of the precision from that of the
        exact policy at the same belief; agreement: share of agents who do what one who weighs all that is known does.
        Scripted answers, no language model.
    """)
    return f"{table(('who answers in words', 'lost', 'error', 'agreement', 'unreadable'), rows)}\n\n{words}"


def _interval(found: Mapping[str, Any], digits: int) -> str:
    if found["low"] is None:
        return f"{found['value']:,.{digits}f}"
    return f"{found['value']:,.{digits}f} ({found['low']:,.{digits}f} … {found['high']:,.{digits}f})"
