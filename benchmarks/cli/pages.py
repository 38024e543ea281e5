"""Pages that commands write, and beside each its numbers as CSV."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.cli.standard_streams import say
from coopgym.benchmarks.cli.tables import exploited_in_words
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
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, dots
from coopgym.benchmarks.drawing.plots.maps import Matrix
from coopgym.benchmarks.drawing.theme import BAD, GOOD
from coopgym.benchmarks.report import render_page
from coopgym.benchmarks.report.content.blocks import (
    Beside,
    Block,
    Cell,
    Chart,
    Column,
    Fold,
    Gallery,
    Heatmap,
    Section,
    Table,
    Text,
)
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.exploitability import exploitability
from coopgym.benchmarks.score.csv_files import csv_text
from coopgym.benchmarks.strangers import ScenarioResult, StrangersResult
from coopgym.benchmarks.study import canonical_json
from coopgym.benchmarks.tournament import Encounters, League, MetaGame, Tournament
from coopgym.corpus.reader import Corpus
from coopgym.corpus.writer import write_atomically
from coopgym.typing import FloatArray

NUMBERS = ".csv"
"""How the name of the file with a page's numbers ends."""
COMPANIES = (
    "Visitor: alone among copies of a partner, or, in a mix, among several kinds; resident: half and half with one."
)
DEVIATION_COLUMNS = (
    "environment",
    "env_parameters",
    "algorithm",
    "reward_mode",
    "seed",
    "return_mode",
    "exploitability",
    "exploitability_error",
    "seat_exploitability",
    "seat_deviations",
    "exploitability_effort",
)
"""Columns of ``runs`` that tell what deviating would gain."""


def require_page(path: Path | None) -> None:
    """Make sure, before anything is computed for it, that a page can have this place.

    Raises:
        ValueError: its numbers would take the same place.
        IsADirectoryError: there is a folder.
    """
    if path is not None and path.suffix == NUMBERS:
        raise ValueError(f"{path}: expected the name of an HTML file; its numbers go into a CSV file beside it")
    if path is not None and path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def write_page(path: Path | None, page: Callable[[], str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a page and, under the same name, its numbers as CSV, and say where; do nothing where nobody wants it.

    Raises:
        OSError: a file cannot be written.
    """
    if path is None:
        return
    table, lines = path.with_suffix(NUMBERS), list(rows)
    write_atomically(table, csv_text(list(lines[0]), [list(line.values()) for line in lines]).encode())
    write_atomically(path, page().encode())
    say(f"numbers: {table}")
    say(f"page:    {path}")


def tournament_page(played: Tournament | League) -> str:
    """Return the page of a tournament, or of a league and its tournaments."""
    games = played.tournaments if isinstance(played, League) else (played,)
    overall = [_league_section(played)] if isinstance(played, League) else []
    shown = [*overall, *(_tournament_section(each) for each in games)]
    return render_page("tournament", _games([each.game for each in games]), shown, facts=_facts(games[0]))


def encounters_page(played: Sequence[Encounters]) -> str:
    """Return the page of agents among partners, game by game."""
    first = played[0]
    facts = _facts(first) | {"partners": f"{len({partner.agent for met in played for partner in met.partners})}"}
    shown = [_encounters_section(met) for met in played]
    return render_page("tournament", f"{listed(first.names)} among partners", shown, facts=facts)


def strangers_page(results: Mapping[str, StrangersResult]) -> str:
    """Return the page of what agents earn with partners, and of what best responses would have earned.

    Args:
        results: by agent, in one game, with the same partners.
    """
    first = next(iter(results.values()))
    facts = {
        "agents": f"{len(results)}",
        "partners": f"{len({partner for met in first.scenarios for partner in met.scenario.partners})}",
        "scenarios": f"{len(first.scenarios)}",
        "best single number": f"{first.level:.2f}",
    }
    shown = [_exploited_section(agent, result) for agent, result in results.items()]
    return render_page(
        "exploit", f"{listed(results)} in {first.game}", shown, description="What is left on the table.", facts=facts
    )


def strangers_rows(results: Mapping[str, StrangersResult]) -> Iterator[dict[str, Any]]:
    """Yield a tidy row per agent and scenario."""
    for agent, result in results.items():
        for met in result.scenarios:
            yield {
                "game": result.game,
                "agent": agent,
                "scenario": met.scenario.name,
                "company": met.scenario.company,
                "kind": met.scenario.kind,
                "partners": ", ".join(met.scenario.partners),
                "focal_return": met.focal_return,
                "partner_return": met.partner_return,
                "ceiling": met.ceiling,
                "left": met.left,
                "random": met.random,
                "floor": met.floor,
                "normalised": met.normalised,
                "standard_error": met.standard_error,
                "response": met.response,
            }


def exploitability_page(corpus: Corpus) -> str:
    """Return the page of what is known of deviations in a corpus."""
    found = exploitability(ReportData(corpus))
    name = (corpus.study or {}).get("name") or corpus.path.name
    return render_page("exploit", name, [] if found is None else [found])


def exploitability_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what some runs of a corpus say of deviations."""
    return ({column: _plain(row[column]) for column in DEVIATION_COLUMNS} for row in rows)


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def _exploited_section(agent: str, result: StrangersResult) -> Section:
    charts = [
        Chart(
            name=f"exploited-{slug(agent)}-{slug(place)}",
            label=f"What {agent} earns as {place}",
            draw=partial(_earned_figure, place, members),
        )
        for place, members in result.places.items()
    ]
    by_kind = _exploited_table(result)
    return Section(
        id=slug(agent),
        title=agent,
        how=(
            f"{agent} plays on among its partners in {result.game}. Dots show what it earns per episode and seat under "
            "private reward, and bars end at what the best response found earns among the same partners, on the same "
            "draws: a bar is what the agent leaves on the table. Orange: its partner earns more than the agent, and "
            "lives off it; blue: it does not."
        ),
        blocks=[
            *([Beside(charts[0], by_kind)] if len(charts) == 1 else [Gallery(charts, COMPANIES), by_kind]),
            Fold("Numbers", [_scenarios_table(result)]),
            *([Text(f"Missing: {', '.join(result.untrained)}, not trained in this game.")] if result.untrained else []),
        ],
        finding=exploited_in_words(agent, result),
    )


def _earned_figure(place: str, members: Sequence[ScenarioResult]) -> Figure:
    return dots([Row(met.title, [_earned(met)]) for met in members], "return per episode", title=place)


def _earned(met: ScenarioResult) -> Dot:
    colour = BAD if met.partner_return > met.focal_return else GOOD
    low, high = sorted((met.focal_return, met.ceiling))
    return Dot(met.focal_return, colour, low, high)


def _exploited_table(result: StrangersResult) -> Table:
    columns = [
        Column("kind"),
        Column("scenarios"),
        Column("earned"),
        Column("best response"),
        Column("left", "what best responses earn more"),
        Column("share", "what is earned: 0 as Random, 1 as the best response"),
        Column("partner", "what each partner earns"),
    ]
    rows = []
    for kind in dict.fromkeys(met.scenario.kind for met in result.scenarios):
        own = [met for met in result.scenarios if met.scenario.kind == kind]
        means = [
            float(np.mean([getattr(met, name) for met in own]))
            for name in ("focal_return", "ceiling", "left", "normalised", "partner_return")
        ]
        rows.append([Cell(kind), Cell(f"{len(own)}", len(own)), *(Cell(signed(value), value) for value in means)])
    return Table(columns, rows, "By kind: means over scenarios.")


def _scenarios_table(result: StrangersResult) -> Table:
    columns = [
        Column("scenario"),
        Column("kind"),
        Column("earned"),
        Column("best response"),
        Column("left"),
        Column("share"),
        Column("partner"),
        Column("what responds best", "one level all the time, a plan, or feedback on what is seen"),
        Column("Random", "what Random earns"),
        Column("best single number", f"what always {result.level:.2f} earns"),
    ]
    return Table(
        columns,
        [
            [
                Cell(met.scenario.name),
                Cell(met.scenario.kind),
                *(
                    Cell(signed(value), value)
                    for value in (met.focal_return, met.ceiling, met.left, met.normalised, met.partner_return)
                ),
                Cell(met.response),
                *(Cell(signed(value), value) for value in (met.random, met.floor)),
            ]
            for met in sorted(result.scenarios, key=lambda met: met.normalised)
        ],
    )


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
                "Blue: the agent earns more than its partner, orange: the partner earns more, and lives off the agent.",
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
