"""The games themselves: which dilemma each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coopgym.benchmarks.drawing.formatting import class_name, counted
from coopgym.benchmarks.report.content.blocks import Block, Facts, Fold, Gallery, Section, Text
from coopgym.benchmarks.report.content.game_figures import GameFigures, game_figures
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.study.hashing import canonical_json
from coopgym.corpus.schema import world_of
from coopgym.strict_json import parse_json
from coopgym.worlds import FIXED

CERTIFICATES = "certificates"
"""Folder of solved games, in a corpus or beside it (`coopgym solve --all`)."""


def games(report_data: ReportData) -> Section | None:
    """Portray every game that was played."""
    played = {(row["environment"], _in_fixed_world(row)): row["mechanism_class"] for row in report_data.rows}
    order = sorted(played, key=lambda game: (played[game], *game))
    found = list(game_figures(order, _certificates(report_data)))
    blocks: list[Block] = [
        Fold(each.title, list(_blocks(each)), f"{class_name(played[game])}. {each.summary}".strip())
        for game, each in zip(order, found, strict=True)
    ]
    return Section(
        id="games",
        title="The games",
        how=(
            "Reaction curves: what a seat does best in one step against a common share of the others. Where a curve "
            "meets the diagonal (with two different seats: where the two curves meet) nobody gains by leaving; faint "
            "lines hold at full trust. Cooperation and trust: arrows show where best responses under integrated reward "
            "move cooperation and where conduct moves trust, each direction on its own scale; from shaded starts, play "
            "that answers the trust it has, step by step, ends with high trust. Schelling diagram: the upper line pays "
            "more, the right end pays everybody more; where both hold, that is the dilemma."
        ),
        blocks=[*blocks, Text(_remark(found))],
    )


def _in_fixed_world(row: Mapping[str, Any]) -> str:
    """The parameters of a run's game without its world, of which the median draw is the fixed one."""
    if world_of({**row, "world": None}) == FIXED:
        return str(row["env_parameters"])
    return canonical_json({name: value for name, value in parse_json(row["env_parameters"]).items() if name != "world"})


def _blocks(figures: GameFigures) -> Iterator[Block]:
    if figures.fault:
        yield Text(f"Not drawn: {figures.fault}")
        return
    yield Facts(figures.facts)
    yield Gallery(figures.figures)


def _remark(found: list[GameFigures]) -> str:
    solved = sum(each.certified for each in found)
    if solved == len(found):
        return "Numbers and figures come from certificates that coopgym solve wrote."
    kept = f" {counted(solved, 'game')} come from certificates that are there already." if solved else ""
    return (
        "Equilibria are those of the stage game at reset, searched from two starts. The full certificate of a game, "
        "with play over whole episodes and the effect of its mechanism, takes a few seconds each: coopgym solve --all "
        f"-o {CERTIFICATES}, in the folder of this corpus or beside it, and reports show it.{kept}"
    )


def _certificates(report_data: ReportData) -> Path | None:
    place = report_data.corpus.path
    if not isinstance(place, Path):
        return None
    folders = (place / CERTIFICATES, place.parent / CERTIFICATES)
    return next((folder for folder in folders if folder.is_dir()), None)
