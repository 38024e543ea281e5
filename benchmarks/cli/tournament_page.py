"""The page of a tournament: heat maps of who earns what with whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from coopgym.benchmarks.drawing.formatting import (
    amount,
    counted,
    decimals,
    game_title,
    listed,
    mode_title,
    percent,
    signed,
    slug,
)
from coopgym.benchmarks.drawing.plots.maps import Matrix
from coopgym.benchmarks.report import PageHead, page_of
from coopgym.benchmarks.report.content.blocks import Block, Cell, Column, Fold, Heatmap, Section, Table, Text
from coopgym.benchmarks.study import canonical_json
from coopgym.benchmarks.tournament import Encounters, League, MetaGame, Tournament
from coopgym.typing import FloatArray

KICKER = "coopgym tournament"


def tournament_page(played: Tournament | League) -> str:
    """Return the page of a tournament, or of a league and its tournaments."""
    games = played.tournaments if isinstance(played, League) else (played,)
    overall = [_league_section(played)] if isinstance(played, League) else []
    shown = [*overall, *(_tournament_section(each) for each in games)]
    return page_of(shown, PageHead(KICKER, _games([each.game for each in games]), ""), _facts(games[0]))


def encounters_page(played: Sequence[Encounters]) -> str:
    """Return the page of agents among partners, game by game."""
    first = played[0]
    facts = _facts(first) | {"partners": f"{len({partner.agent for met in played for partner in met.partners})}"}
    shown = [_encounters_section(met) for met in played]
    return page_of(shown, PageHead(KICKER, f"{listed(first.names)} among partners", ""), facts)


def _games(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else counted(len(ids), "game")


def _facts(played: Tournament | Encounters) -> dict[str, str]:
    return {
        "agents": f"{len(played.names)}",
        "reward": played.reward,
        "seeds": f"{len(played.seeds)}",
        "episodes per match": f"{played.episodes}",
    }


def _league_section(played: League) -> Section:
    return Section(
        id="league",
        title="All games",
        how=(
            "What the row’s agent earns alone among copies of the column’s. Every game is put between its own worst "
            "pairing, 0, and its best, 1, so that all have the same weight."
        ),
        blocks=list(_meta_game(played, "league", "Mean over games")),
    )


def _tournament_section(played: Tournament) -> Section:
    title = _title(played)
    return Section(
        id=slug(title),
        title=title,
        how=(
            f"Return per episode, {mode_title(played.reward)}, of the row’s agent alone among copies of the column’s, "
            "mean over the seats that it may take and over seeds; the diagonal is self-play."
        ),
        blocks=list(_meta_game(played, slug(title), title)),
    )


def _meta_game(played: MetaGame, name: str, title: str) -> Iterator[Block]:
    yield Heatmap(
        name=f"tournament-{name}",
        label=f"Returns among each other: {title}",
        matrix=_matrix(played.agents, played.agents, played.payoffs, _from_mean(played.payoffs)),
        rows_are="agent",
        columns_are="among copies of",
        caption="Blue: above the mean of the matrix, orange: below.",
    )
    columns = [
        Column("agent"),
        Column("own", "what it earns among its own copies"),
        Column("others", "mean of what it earns among copies of each other agent"),
        Column("replicator", "share that selection leaves of a population that starts even"),
        Column("α-rank", "share of time under rare mutants"),
        Column("Nash", "probability in the mixture from which nobody takes more than it gives"),
        Column("skill", "what the agent takes from that mixture"),
        Column("stable", "nobody here can enter a population of its copies"),
    ]
    rows = [
        [
            Cell(rating.agent),
            *(Cell(amount(value), value) for value in (rating.self_play, rating.among_others)),
            *(Cell(percent(share, 1), share) for share in (rating.replicator, rating.alpha_rank, rating.nash)),
            Cell(signed(rating.skill), rating.skill),
            Cell("yes" if rating.stable else "no"),
        ]
        for rating in sorted(played.ratings().rows, key=lambda rating: -round(rating.alpha_rank, 6))
    ]
    yield Table(columns, rows, "Who does well, by every method.")


def _encounters_section(met: Encounters) -> Section:
    title, own, others = _title(met), met.mean("focal_return"), met.mean("background_return")
    exploited = int((others > own).sum())
    return Section(
        id=slug(title),
        title=title,
        how=(
            f"Return per episode, {mode_title(met.reward)}, of the row’s agent alone among copies of the column’s "
            "partner, mean over the seats that it may take and over seeds; and what each of these partners earns then."
        ),
        blocks=[
            _partners_map(met, "earned", "What agents earn", own, _from_mean(own), "Blue: above the mean of all."),
            _partners_map(
                met,
                "partners",
                "What their partners earn",
                others,
                _to_edges(own - others),
                "Blue: the agent earns more than its partner, orange: the partner earns more.",
            ),
            _kinds_table(met),
            Fold("Numbers", [_partners_table(met)]),
            *([Text(f"Missing: {', '.join(met.untrained)}, not trained in this game.")] if met.untrained else []),
        ],
        finding=f"{title}: in {exploited} of {own.size} pairings the partner earns more than the agent.",
    )


def _partners_map(
    met: Encounters, name: str, title: str, values: FloatArray, heat: FloatArray, colours: str
) -> Heatmap:
    return Heatmap(
        name=f"encounters-{slug(_title(met))}-{name}",
        label=f"{title} in {_title(met)}",
        matrix=_matrix(met.names, met.among, values, heat),
        rows_are="agent",
        columns_are="among copies of",
        caption=f"{title}. {colours}",
        column_groups=[partner.kind for partner in met.partners],
    )


def _kinds_table(met: Encounters) -> Table:
    own, others = met.by_kind("focal_return"), met.by_kind("background_return")
    columns = [Column("agent")]
    for kind in met.kinds:
        columns += [Column("agent", "what it earns", kind), Column("partner", "what each partner earns", kind)]
    rows = [
        [
            Cell(name),
            *(
                Cell(amount(side[row, kind]), side[row, kind])
                for kind in range(len(met.kinds))
                for side in (own, others)
            ),
        ]
        for row, name in enumerate(met.names)
    ]
    return Table(columns, rows, "By kind: means over its partners.")


def _partners_table(met: Encounters) -> Table:
    measures = {
        "agent earns": "focal_return",
        "partner earns": "background_return",
        "welfare": "welfare",
        "agent plays": "focal_cooperation",
        "partner plays": "background_cooperation",
    }
    means = {name: met.mean(measure) for name, measure in measures.items()}
    columns = [Column("agent"), Column("partner"), Column("kind"), *map(Column, measures)]
    return Table(
        columns,
        [
            [
                Cell(agent),
                Cell(partner.name),
                Cell(partner.kind),
                *(_measured(name, float(values[row, column])) for name, values in means.items()),
            ]
            for row, agent in enumerate(met.names)
            for column, partner in enumerate(met.partners)
        ],
    )


def _measured(name: str, value: float) -> Cell:
    return Cell(percent(value) if name.endswith("plays") else amount(value), value)


def _title(played: Tournament | Encounters) -> str:
    parameters = f" {canonical_json(dict(played.parameters))}" if played.parameters else ""
    return game_title(f"{played.game}{parameters}")


def _matrix(rows: Sequence[str], columns: Sequence[str], values: FloatArray, heat: FloatArray) -> Matrix:
    digits = decimals(values)
    return Matrix(rows, columns, values, [[signed(value, digits) for value in row] for row in values], heat)


def _from_mean(values: FloatArray) -> FloatArray:
    return _to_edges(values - values.mean())


def _to_edges(values: FloatArray) -> FloatArray:
    """Shades that reach the full colour at the largest number."""
    largest = np.abs(values).max()
    return values / largest if largest else values
