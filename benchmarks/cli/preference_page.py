"""What ``coopgym prefer`` shows: tables for the terminal, a page with the cycle drawn, and everything as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.cli.standard_streams import say
from coopgym.benchmarks.drawing.formatting import counted, listed, percent, signed, spread
from coopgym.benchmarks.drawing.plots.graph import Arrow, graph
from coopgym.benchmarks.drawing.plots.maps import Matrix
from coopgym.benchmarks.drawing.terminal import TerminalConsole, ruled_table, styled
from coopgym.benchmarks.experiments.preferences.agent_preferences import AgentPreferences
from coopgym.benchmarks.report import PageHead, page_of
from coopgym.benchmarks.report.content.blocks import Beside, Cell, Chart, Column, Fold, Heatmap, Section, Table, Text
from coopgym.benchmarks.score.bootstrap import Bootstrap
from coopgym.benchmarks.score.criteria import CRITERIA
from coopgym.corpus.writer import write_atomically
from coopgym.oracles.preferences.majority_cycles import MajorityCycle

KICKER = "coopgym prefer"
FITTING = 9
"""Agents whose matrix fits on a terminal."""
DRAWN = 8
"""Most agents that are drawn with arrows between them."""
PLAYED = 5e-4
"""Probability that is shown."""
RULES = (
    "wins: how often an agent beats another one (Borda); beats: whom it beats by a majority (Copeland); minimax: its "
    "part in the mixture that no agent is preferred to; Nash: the same with regularisation"
)


def print_preferences(console: TerminalConsole, found: AgentPreferences) -> None:
    """Show who is preferred to whom, the cycle, and the winners by every rule."""
    say(f"{counted(len(found.agents), 'agent')} in {counted(len(found.games), 'game')}, by {', '.join(found.criteria)}")
    if len(found.agents) <= FITTING:
        console.print(_matrix_table(found))
    table = ruled_table(title="preferred", caption=f"{RULES}, β = {found.beta:g}", collapse_padding=True)
    table.add_column("agent", overflow="fold")
    for name in ("wins", "interval", "beats", "minimax", "Nash"):
        table.add_column(name, justify="right", no_wrap=True)
    for agent in _by_borda(found):
        borda = found.borda(agent)
        table.add_row(
            found.agents[agent],
            signed(borda.value),
            spread(borda),
            f"{found.preferences.copeland[agent]}",
            _share(found.winner.distribution[agent]),
            _share(found.regularised[agent]),
        )
    console.print(table)
    for sentence in findings(found):
        say(sentence)
    for remark in found.remarks:
        say(f"note: {remark}")


def findings(found: AgentPreferences) -> Iterator[str]:
    """Yield what follows from the preferences, a sentence each."""
    for cycle in found.cycles[:1]:
        yield f"cycle: {cycle_in_words(found, cycle)}"
    if not found.cycles:
        yield "cycle: none; a ranking agrees with every majority"
    winner, borda = found.winner, found.preferences.borda_winner
    mixture = ", ".join(
        f"{found.agents[each]} {percent(winner.distribution[each], 1)}" for each in _played(found, winner.distribution)
    )
    alone = "" if winner.unique else ", the most even of several"
    yield f"minimax winner: {mixture}{alone}; no agent is preferred to it"
    surplus = found.exploitability(np.eye(len(found.agents))[borda])
    rival = int(found.preferences.probabilities[:, borda].argmax())
    same = f"; {found.agents[rival]} beats it by {signed(surplus)} over one half" if surplus > 1e-9 else ""
    yield f"Borda winner: {found.agents[borda]}, {signed(found.preferences.borda[borda])} on average{same}"
    yield f"Nash with β = {found.beta:g}: exploited by {signed(found.exploitability(found.regularised), 3)}"


def cycle_in_words(found: AgentPreferences, cycle: MajorityCycle) -> str:
    """Return the agents of a cycle, how strong it is and how sure."""
    around = " > ".join(found.agents[each] for each in (*cycle.options, cycle.options[0]))
    sure = found.certainty(cycle)
    seen = "" if sure is None else f", in {percent(sure)} of resamples"
    return f"{around}; weakest majority {signed(cycle.weakest, 3)}{seen}"


def preference_rows(found: AgentPreferences) -> Iterator[dict[str, Any]]:
    """Yield a tidy row per ordered pair of agents."""
    for first in range(len(found.agents)):
        for second in range(len(found.agents)):
            if first != second:
                value = found.between(first, second)
                yield {
                    "agent": found.agents[first],
                    "other": found.agents[second],
                    "preferred": value.value,
                    "low": value.low,
                    "high": value.high,
                    **dict(zip(found.criteria, found.by_criterion[:, first, second].tolist(), strict=True)),
                }


def preference_json(found: AgentPreferences) -> dict[str, Any]:
    """Return everything, as JSON has it."""
    return {
        "agents": list(found.agents),
        "criteria": list(found.criteria),
        "games": list(found.games),
        "seeds": found.seeds,
        "preferences": found.preferences.probabilities.tolist(),
        "pairs": list(preference_rows(found)),
        "borda": [found.borda(agent).value for agent in range(len(found.agents))],
        "borda_winner": found.agents[found.preferences.borda_winner],
        "copeland": found.preferences.copeland.tolist(),
        "cycles": [
            {
                "agents": [found.agents[each] for each in cycle.options],
                "weakest": cycle.weakest,
                "certainty": found.certainty(cycle),
            }
            for cycle in found.cycles
        ],
        "top_cycle": [found.agents[each] for each in found.top],
        "minimax_winner": {
            "distribution": found.winner.distribution.tolist(),
            "unique": found.winner.unique,
            "exploitability": found.winner.gap,
        },
        "nash": {
            "beta": found.beta,
            "distribution": found.regularised.tolist(),
            "exploitability": found.exploitability(found.regularised),
        },
        "remarks": list(found.remarks),
    }


def write_json(path: Path | None, found: AgentPreferences) -> None:
    """Write everything as JSON and say where; do nothing where nobody wants it.

    Raises:
        OSError: it cannot be written.
    """
    if path is not None:
        write_atomically(path, (json.dumps(preference_json(found), ensure_ascii=False, indent=1) + "\n").encode())
        say(f"json:    {path}")


def preference_page(found: AgentPreferences, name: str) -> str:
    """Return the page: the cycle drawn, the winners by every rule, and the matrix."""
    facts = {
        "agents": f"{len(found.agents)}",
        "criteria": f"{len(found.criteria)}",
        "games": f"{len(found.games)}",
        "seeds": f"{found.seeds}",
    }
    head = PageHead(KICKER, f"Preferences in {name}", "Who is preferred to whom, and who wins by which rule.")
    return page_of([_winners(found), _pairs(found)], head, facts)


def cycle_figure(found: AgentPreferences) -> Figure:
    """Draw the strongest cycle, with the winners by every rule and the majorities among all of these."""
    shown = _shown(found)
    around = found.cycles[0].options if found.cycles else ()
    steps = set(zip(around, (*around[1:], *around[:1]), strict=True))
    arrows = [
        Arrow(shown.index(a), shown.index(b), _percent(found, a, b) if (a, b) in steps else "", (a, b) in steps)
        for a in shown
        for b in shown
        if found.preferences.majorities[a, b]
    ]
    title = "the strongest cycle of majorities" if around else "majorities; there is no cycle"
    return graph([found.agents[each] for each in shown], arrows, title=title)


def _shown(found: AgentPreferences) -> list[int]:
    """The agents of the strongest cycle in their order, then the winners, then the best on average."""
    around = list(found.cycles[0].options) if found.cycles else []
    wanted = [*around, *found.winner.options, found.preferences.borda_winner, *_by_borda(found)[:3]]
    return list(dict.fromkeys(wanted))[: max(DRAWN, len(around))]


def _winners(found: AgentPreferences) -> Section:
    chart = Chart(
        name="preference-cycle",
        label="Majorities between agents",
        draw=partial(cycle_figure, found),
        caption=(
            "An arrow leads from the agent that a majority of criteria and games prefers to the other one; orange: the "
            "strongest cycle, with how often each beats the next. Beside it: the winners by every rule."
        ),
    )
    columns = [
        Column("agent"),
        Column("wins", "how often it beats another agent, mean over the others (Borda)"),
        Column("interval", f"{Bootstrap().confidence:.0%} bootstrap interval over seeds"),
        Column("beats", "agents that it beats by a majority (Copeland)"),
        Column("minimax", "its part in the mixture that no agent is preferred to"),
        Column("Nash", f"the same with regularisation, β = {found.beta:g}"),
    ]
    rows = []
    for agent in _by_borda(found):
        borda, beats = found.borda(agent), int(found.preferences.copeland[agent])
        shares = (float(found.winner.distribution[agent]), float(found.regularised[agent]))
        rows.append(
            [
                Cell(found.agents[agent]),
                Cell(signed(borda.value), borda.value),
                Cell(spread(borda), borda.low),
                Cell(f"{beats}", beats),
                *(Cell(_share(share) or "–", share) for share in shares),
            ]
        )
    asked = "; ".join(f"{name}: {CRITERIA[name].meaning}" for name in found.criteria)
    return Section(
        id="winners",
        title="Winners",
        how=(
            "How often a run of one agent beats a run of another: the share of criteria and games, ties one half, for "
            f"seeds drawn at random. Criteria: {asked}. Majorities may go round in a cycle; no ranking and no scalar "
            "reward agrees with all of them then, and the best on average may lose to somebody. The minimax winner is "
            "the mixture that no agent is preferred to."
        ),
        blocks=[Beside(chart, Table(columns, rows)), *map(Text, found.remarks)],
        finding="\n".join(findings(found)),
    )


def _pairs(found: AgentPreferences) -> Section:
    order = _by_borda(found)
    names = [found.agents[each] for each in order]

    def heatmap(name: str, label: str, table: np.ndarray) -> Heatmap:
        values = table[np.ix_(order, order)]
        texts = [[signed(value) for value in row] for row in values]
        return Heatmap(name, label, Matrix(names, names, values, texts, 2.0 * values - 1.0), "agent", "beats")

    single = [
        heatmap(f"preferences-{name}", f"By {name} alone", found.by_criterion[number])
        for number, name in enumerate(found.criteria)
    ]
    return Section(
        id="pairs",
        title="Pair by pair",
        how="How often the row’s agent beats the column’s; blue: more often than not.",
        blocks=[
            heatmap("preferences", "By all criteria", found.preferences.probabilities),
            *(Fold(each.label, [each]) for each in single),
        ],
        finding=f"Games: {listed(found.games, 20)}.",
    )


def _matrix_table(found: AgentPreferences) -> Any:
    caption = "how often row beats column; bold: by a majority"
    table = ruled_table(title="who is preferred to whom", caption=caption, collapse_padding=True)
    table.add_column("")
    table.add_column("agent", overflow="fold")
    order = _by_borda(found)
    for number in range(1, len(order) + 1):
        table.add_column(f"{number}", justify="right", no_wrap=True)
    for number, row in enumerate(order):
        cells = [
            styled(
                "–" if row == column else signed(float(found.preferences.probabilities[row, column])),
                "bold" if found.preferences.majorities[row, column] else "",
            )
            for column in order
        ]
        table.add_row(f"{number + 1}", found.agents[row], *cells)
    return table


def _by_borda(found: AgentPreferences) -> list[int]:
    means = np.round(found.preferences.borda, 9)
    return sorted(range(len(found.agents)), key=lambda each: (-means[each], found.agents[each]))


def _played(found: AgentPreferences, mixture: np.ndarray) -> list[int]:
    return [each for each in np.argsort(-mixture, kind="stable").tolist() if mixture[each] >= PLAYED]


def _share(value: float) -> str:
    return percent(float(value), 1) if value >= PLAYED else ""


def _percent(found: AgentPreferences, first: int, second: int) -> str:
    return percent(float(found.preferences.probabilities[first, second]), 1)
