"""Tournaments on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from coopgym.benchmarks.drawing.formatting import decimals
from coopgym.benchmarks.drawing.terminal import TerminalConsole, ruled_table, styled
from coopgym.benchmarks.tournament.encounters import Encounters
from coopgym.benchmarks.tournament.league import League
from coopgym.benchmarks.tournament.meta_game import MetaGame, Rating
from coopgym.benchmarks.tournament.record import Matches, Tournament

_RATING_CAPTION = (
    "own: payoff among copies of itself; others: mean payoff among copies of each other agent; replicator: share that "
    "selection leaves of a population that starts even; α-rank: share of time under rare mutants; Nash: probability in "
    "the mixture from which nobody takes more than it gives; skill: what the agent takes from it; stable: nobody here "
    "can enter a population of its copies"
)


SIDE_BY_SIDE = 3
"""Agents whose encounters a table shows; more do not fit on a terminal."""


def print_meta_game(console: TerminalConsole, played: MetaGame) -> None:
    """Print the payoffs and ratings of a tournament or league."""
    console.print(payoff_table(played))
    console.print(rating_table(played))


def print_encounters(console: TerminalConsole, met: Encounters) -> None:
    """Print how agents fared with every partner and with every kind, and who was missing."""
    for table in encounter_tables(met):
        console.print(table)
    if met.untrained:
        console.print(f"missing: {', '.join(met.untrained)}: not trained in this game", highlight=False)


def encounter_tables(met: Encounters) -> Iterator[Table]:
    """Show what agents (columns) earn alone among copies of every partner (row), and beside it what each partner earns.

    Of kinds with several partners their means stand first.
    """
    names = met.names
    for first in range(0, len(names), SIDE_BY_SIDE):
        yield _encounter_table(met, list(range(len(names)))[first : first + SIDE_BY_SIDE])


def _encounter_table(met: Encounters, agents: list[int]) -> Table:
    own, others = met.mean("focal_return"), met.mean("background_return")
    own_by_kind, others_by_kind = met.by_kind("focal_return"), met.by_kind("background_return")
    digits, errors = decimals(own), met.standard_error()
    caption = "what the agent earns alone among copies of the partner, and what each of these earns"
    if errors is not None and errors.any():
        caption += "; ± standard error over seeds"
    table = _table(_heading(met), f"{caption}; bold: means of a kind")
    table.add_column("kind", no_wrap=True)
    table.add_column("partner", no_wrap=True)
    for agent in agents:
        table.add_column(met.names[agent], justify="right", overflow="fold")
        table.add_column("partner", justify="right", no_wrap=True)
    for kind, name in enumerate(met.kinds):
        members = [place for place, partner in enumerate(met.partners) if partner.kind == name]
        if len(members) > 1:
            means = [_number(side[a, kind], digits) for a in agents for side in (own_by_kind, others_by_kind)]
            table.add_row(name, f"{len(members)} partners", *means, style="bold")
        for place in members:
            cells: list[str] = []
            for agent in agents:
                error = f" ± {errors[agent, place]:.{digits}f}" if errors is not None and errors[agent, place] else ""
                cells += [_number(own[agent, place], digits) + error, _number(others[agent, place], digits)]
            table.add_row(name if len(members) == 1 else "", met.among[place], *cells)
    everybody = [_number(side[a].mean(), digits) for a in agents for side in (own, others)]
    table.add_row("all", f"{len(met.partners)} partners", *everybody, style="bold")
    return table


def payoff_table(played: MetaGame) -> Table:
    """Show what every agent (row) earns among copies of every agent (column); best replies are bold."""
    errors = played.standard_error() if isinstance(played, Tournament) else None
    caption = "row alone among copies of column; bold: nobody earns more there"
    if errors is not None and errors.any():
        caption += "; ± standard error over seeds"
    table = _table(_title(played), caption)
    table.add_column("")
    table.add_column("agent", no_wrap=True)
    for number in range(1, len(played.agents) + 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    best, digits = played.empirical_game().best_replies, decimals(played.payoffs)
    for i, agent in enumerate(played.agents):
        cells: list[Text] = []
        for j, payoff in enumerate(played.payoffs[i]):
            text = _number(payoff, digits)
            if errors is not None and errors[i, j] > 0.0:
                text += f" ± {errors[i, j]:.{digits}f}"
            cells.append(styled(text, "bold" if best[i, j] else ""))
        table.add_row(str(i + 1), agent, *cells)
    return table


def rating_table(played: MetaGame) -> Table:
    """Show every agent by every method, the ones that α-rank puts first on top."""
    ratings = played.ratings()
    orbits, sweep = ratings.orbits, ratings.sweep
    caption = _RATING_CAPTION
    if not orbits.converged[0]:
        caption += (
            f"; the replicator did not come to rest (speed {orbits.residuals[0]:.1g}): averages over its second half"
        )
    if not sweep.settled:
        caption += "; α-rank has not settled at the strongest selection tried"
    table = _table("Ratings", caption)
    table.add_column("agent", no_wrap=True)
    for name in ("own", "others", "replicator", "α-rank", "Nash", "skill"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("stable")
    digits = decimals(played.payoffs)
    for rating in sorted(ratings.rows, key=_merit):
        table.add_row(
            rating.agent,
            _number(rating.self_play, digits),
            _number(rating.among_others, digits),
            f"{rating.replicator:.1%}",
            f"{rating.alpha_rank:.1%}",
            f"{rating.nash:.1%}",
            _number(rating.skill, digits),
            "yes" if rating.stable else "",
        )
    return table


def _merit(rating: Rating) -> tuple[float, float, str]:
    """Rounded, so that agents that are alike stand in the order of their names."""
    return -round(rating.alpha_rank, 6), -round(rating.replicator, 6), rating.agent


def _title(played: MetaGame) -> str:
    if isinstance(played, Tournament):
        return _heading(played)
    if isinstance(played, League):
        reward = played.tournaments[0].reward
        return f"Mean of {len(played.games)} games, {reward} reward: 0 = worst pairing of a game, 1 = best"
    return "Payoffs"


def _heading(played: Matches) -> str:
    settings = "".join(f", {name}={value}" for name, value in played.parameters.items())
    return f"Returns per episode in {played.game}{settings}, {played.reward} reward"


def _table(title: str, caption: str) -> Table:
    return ruled_table(title=title, caption=caption, collapse_padding=True)


def _number(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}"
