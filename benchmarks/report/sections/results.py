"""Every number of every game, in tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from coopgym.benchmarks.drawing.formatting import STUDENT, class_name, game_title, mode_title
from coopgym.benchmarks.drawing.series_style import Look
from coopgym.benchmarks.report.content import cells
from coopgym.benchmarks.report.content.blocks import Block, Cell, Column, Fold, Heading, Section, Table
from coopgym.benchmarks.report.data.evidence import Evidence
from coopgym.benchmarks.score import Contest, Distribution, ScoreTable
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


def results(evidence: Evidence) -> Section | None:
    """List what every algorithm reached in every game and mode."""
    blocks = [block for contest in evidence.contests for block in _contest(contest, evidence.looks)]
    if not blocks:
        return None
    played = {each.task.setting.environment for contest in evidence.contests for each in contest.distributions}
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


def _contest(contest: Contest, looks: Mapping[str, Look]) -> Iterator[Block]:
    if contest.title:
        yield Heading(contest.title.capitalize())
    by_game: dict[str, dict[str, list[Distribution]]] = {}
    for each in contest.distributions:
        by_game.setdefault(each.task.game, {}).setdefault(each.task.reward_mode, []).append(each)
    for game, by_mode in sorted(by_game.items(), key=lambda item: (_class_of(item[1]), item[0])):
        blocks: list[Block] = []
        for mode, found in by_mode.items():
            blocks += [Heading(mode_title(mode)), _table(found, contest.table(), looks)]
        yield Fold(game_title(game), blocks, class_name(_class_of(by_mode)))


def _class_of(by_mode: Mapping[str, Sequence[Distribution]]) -> str:
    return next(iter(by_mode.values()))[0].task.mechanism_class


def _table(found: Sequence[Distribution], table: ScoreTable, looks: Mapping[str, Look]) -> Table:
    rows = [_row(each, table, looks) for each in found]
    ranked = found[0].task.reward_mode != PRIVATE
    order = sorted(
        zip(found, rows, strict=True), key=lambda pair: (-_order(pair[1][2]) if ranked else 0.0, pair[0].entrant.name)
    )
    best = max(zip(found, rows, strict=True), key=lambda pair: (pair[0].entrant.kind == "constant", _order(pair[1][2])))
    return Table(COLUMNS, [row for each, row in order if _listed(each, best[0].entrant.name)])


def _listed(each: Distribution, best_constant: str) -> bool:
    return each.entrant.kind != "constant" or each.entrant.name.endswith("0") or each.entrant.name == best_constant


def _order(cell: Cell) -> float:
    return cell.order if cell.order is not None else 0.0


def _row(each: Distribution, table: ScoreTable, looks: Mapping[str, Look]) -> list[Cell]:
    score, diverged = table.cell(each.entrant.name, each.task), 0
    if each.task in table.tasks:
        diverged = int(table.diverged[table.index(each.entrant.name), table.tasks.index(each.task)].sum())
    return [
        cells.agent(each.entrant.name, looks),
        cells.number(float(each.welfare.n) if each.welfare else 0.0, 0),
        cells.score(score),
        cells.measured(each.welfare),
        cells.measured_share(each.cooperation),
        cells.measured(each.trust, 2),
        cells.measured(each.gini, 2),
        cells.number(each.episode_length.value if each.episode_length else None, 0),
        Cell(str(diverged) if diverged else "", float(diverged)),
    ]
