"""Scores by mechanism class and reward mode."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.analysis import ScoreTable
from benchmarks.report import cells
from benchmarks.report.content import Block, Cell, Column, Heading, Section, Table
from benchmarks.report.evidence import Evidence
from benchmarks.report.fields import fields
from benchmarks.report.looks import Look
from benchmarks.report.words import class_name, signed
from coopgym.rewards import MODES


def classes(evidence: Evidence) -> Section | None:
    """Show mean scores of the ranked algorithms over the games of each class."""
    blocks: list[Block] = []
    for contest in evidence.contests:
        found = fields(contest, evidence.settings)
        names = dict.fromkeys(row.entrant.name for field in found for row in field.ranks.rows)
        if names:
            blocks += [Heading(contest.title.capitalize())] if contest.title else []
            table = contest.table()
            named = table.where(lambda task: task.reward_mode in MODES)
            blocks.append(_table(named if named.tasks else table, list(names), evidence.looks))
    if not blocks:
        return None
    return Section(
        id="classes",
        title="By mechanism class",
        how=(
            "Mean score over the games of a class, per reward mode. The fuller the blue, the closer to the upper "
            "anchor or above it; orange is worse than the lower one. A fraction says that only some games of the "
            "class were played, so that the number does not compare with its column."
        ),
        blocks=blocks,
    )


def _table(table: ScoreTable, names: list[str], looks: Mapping[str, Look]) -> Table:
    places = [(each, mode) for each in table.classes for mode in table.modes]
    columns = [Column("algorithm"), *(Column(mode, group=class_name(each)) for each, mode in places)]
    means = {name: _task_means(table, name) for name in names}
    return Table(
        columns,
        [
            [cells.agent(name, looks), *(_cell(means[name], table, each, mode) for each, mode in places)]
            for name in names
        ],
        shaded=True,
    )


def _task_means(table: ScoreTable, name: str) -> np.ndarray:
    scores = np.ma.masked_invalid(table.scores[table.index(name)])
    return scores.mean(axis=-1).filled(np.nan)


def _cell(means: np.ndarray, table: ScoreTable, mechanism_class: str, mode: str) -> Cell:
    here = [task.mechanism_class == mechanism_class and task.reward_mode == mode for task in table.tasks]
    found = means[here][np.isfinite(means[here])]
    if not len(found):
        return cells.EMPTY
    value = float(found.mean())
    part = f"{len(found)}/{sum(here)}" if len(found) < sum(here) else ""
    return Cell(signed(value), value, max(-1.0, min(1.0, value)), part)
