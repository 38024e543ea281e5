"""Every number of every game, in tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from coopgym.benchmarks.drawing.formatting import class_name, game_title, mode_title
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import Block, Cell, Column, Fold, Heading, Section, Table
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import Distribution, Leaderboard, ScoreTable
from coopgym.benchmarks.score.estimates import STUDENT
from coopgym.benchmarks.score.settings import PRIVATE
from coopgym.benchmarks.study.agent_info import share_convention

COLUMNS = (
    Column("algorithm"),
    Column("seeds"),
    Column("score", "of the return in this reward mode; under private reward it describes, and ranks nobody"),
    Column("welfare", "sum of all seats’ payoffs over an episode, whatever the reward"),
    Column("played", "mean share of endowment put in"),
    Column("trust", "mean between different seats at the end"),
    Column("Gini", "how unequally payoffs are shared; 0: equally"),
    Column("steps", "length of an episode"),
    Column("diverged", "runs whose numbers stopped being finite"),
)


def results(report_data: ReportData) -> Section | None:
    """List what every algorithm reached in every game and mode."""
    blocks = [
        block for leaderboard in report_data.leaderboards for block in _leaderboard(leaderboard, report_data.styles)
    ]
    if not blocks:
        return None
    played = {
        each.task.setting.environment for leaderboard in report_data.leaderboards for each in leaderboard.distributions
    }
    return Section(
        id="results",
        title="Every result",
        how=(
            f"Means over seeds with their intervals ({STUDENT}), best score first; under private reward in order of "
            "names. Of a fine scan of constants every tenth level and the best are listed; summary.csv has all. "
            f"{share_convention(sorted(played))}"
        ),
        blocks=blocks,
    )


def _leaderboard(leaderboard: Leaderboard, styles: Mapping[str, SeriesStyle]) -> Iterator[Block]:
    if leaderboard.title:
        yield Heading(leaderboard.title.capitalize())
    by_game: dict[str, dict[str, list[Distribution]]] = {}
    for each in leaderboard.distributions:
        by_game.setdefault(each.task.game, {}).setdefault(each.task.reward_mode, []).append(each)
    for game, by_mode in sorted(by_game.items(), key=lambda item: (_class_of(item[1]), item[0])):
        blocks: list[Block] = []
        for mode, found in by_mode.items():
            blocks += [Heading(mode_title(mode)), _table(found, leaderboard.table(), styles)]
        yield Fold(game_title(game), blocks, class_name(_class_of(by_mode)))


def _class_of(by_mode: Mapping[str, Sequence[Distribution]]) -> str:
    return next(iter(by_mode.values()))[0].task.mechanism_class


def _table(found: Sequence[Distribution], table: ScoreTable, styles: Mapping[str, SeriesStyle]) -> Table:
    rows = [_row(each, table, styles) for each in found]
    ranked = found[0].task.reward_mode != PRIVATE
    order = sorted(
        zip(found, rows, strict=True), key=lambda pair: (-_order(pair[1][2]) if ranked else 0.0, pair[0].algorithm.name)
    )
    best = max(
        zip(found, rows, strict=True), key=lambda pair: (pair[0].algorithm.kind == "constant", _order(pair[1][2]))
    )
    return Table(COLUMNS, [row for each, row in order if _listed(each, best[0].algorithm.name)])


def _listed(each: Distribution, best_constant: str) -> bool:
    return (
        each.algorithm.kind != "constant" or each.algorithm.name.endswith("0") or each.algorithm.name == best_constant
    )


def _order(cell: Cell) -> float:
    return cell.order if cell.order is not None else 0.0


def _row(each: Distribution, table: ScoreTable, styles: Mapping[str, SeriesStyle]) -> list[Cell]:
    score, diverged = table.cell(each.algorithm.name, each.task), 0
    if each.task in table.tasks:
        diverged = int(table.diverged[table.index(each.algorithm.name), table.tasks.index(each.task)].sum())
    return [
        interval_cells.agent(each.algorithm.name, styles),
        interval_cells.number(float(each.welfare.n) if each.welfare else 0.0, 0),
        interval_cells.score(score),
        interval_cells.measured(each.welfare),
        interval_cells.measured_share(each.cooperation),
        interval_cells.measured(each.trust, 2),
        interval_cells.measured(each.gini, 2),
        interval_cells.number(each.episode_length.value if each.episode_length else None, 0),
        Cell(str(diverged) if diverged else "", float(diverged)),
    ]
