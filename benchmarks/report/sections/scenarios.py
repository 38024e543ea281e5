"""Agents among others that they did not choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import STUDENT, game_title, mode_title, sample_size, slug
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, dots
from coopgym.benchmarks.drawing.series_style import Look
from coopgym.benchmarks.report.content import cells
from coopgym.benchmarks.report.content.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Fold,
    Gallery,
    LookLegend,
    Section,
    Table,
)
from coopgym.benchmarks.report.data.evidence import Evidence
from coopgym.benchmarks.score import Estimate, ScenarioScore, scenario_scores
from coopgym.benchmarks.score.scenarios import AMONG


def scenarios(evidence: Evidence) -> Section | None:
    """Show what focal agents and those around them earn, scenario by scenario."""
    found = [each for each in _scores(evidence) if not each.scenario.startswith(AMONG) and each.advantage]
    if not found:
        return None
    names = dict.fromkeys(each.entrant.name for each in found)
    blocks: list[Block] = [LookLegend({name: evidence.looks[name] for name in names})]
    by_scenario = {each.scenario: [other for other in found if other.scenario == each.scenario] for each in found}
    for scenario, own in by_scenario.items():
        charts = list(_charts(scenario, own, evidence.looks))
        caption = f"{STUDENT}, {sample_size(each.advantage.n for each in own if each.advantage)}."
        blocks.append(
            Fold(
                scenario,
                [Gallery(charts, caption), Fold("Numbers", [_table(own, evidence.looks)])],
                f"{len(names)} focal agents",
                open=len(by_scenario) <= 3,
            )
        )
    return Section(
        id="scenarios",
        title="Scenarios",
        how=(
            "A focal agent sits among a fixed background that it never trained with. Figures show the advantage: its "
            "payoff less the mean payoff of the others in the same run. Right of zero it lives off them, left of zero "
            "they live off it; a large advantage with poor company is nothing to be proud of, so the table gives both "
            "payoffs."
        ),
        blocks=blocks,
    )


def _scores(evidence: Evidence) -> Sequence[ScenarioScore]:
    return () if evidence.conflict else scenario_scores(evidence.runs)


def _charts(scenario: str, found: Sequence[ScenarioScore], looks: Mapping[str, Look]) -> Iterator[Chart]:
    for mode in dict.fromkeys(each.task.reward_mode for each in found):
        own = [each for each in found if each.task.reward_mode == mode]
        yield Chart(
            name=f"scenario-{slug(scenario)}-{slug(mode)}",
            label=f"Advantage of focal agents in {scenario}, {mode_title(mode)}",
            draw=partial(_figure, own, looks, mode_title(mode)),
        )


def _figure(found: Sequence[ScenarioScore], looks: Mapping[str, Look], title: str) -> Figure:
    rows: dict[str, list[Dot]] = {}
    for each in found:
        if each.advantage is not None:
            rows.setdefault(game_title(each.task.game), []).append(_dot(each.advantage, looks[each.entrant.name]))
    return dots([Row(*row) for row in rows.items()], "focal minus background payoff", title=title, anchors=(0.0,))


def _dot(value: Estimate, look: Look) -> Dot:
    return Dot.of(value, look.colour, look.mark)


def _table(found: Sequence[ScenarioScore], looks: Mapping[str, Look]) -> Table:
    columns = [
        Column("focal agent"),
        Column("game"),
        Column("reward"),
        Column("focal payoff", "mean over focal seats"),
        Column("background payoff", "mean over the other seats"),
        Column("advantage"),
        Column("focal played", "mean share of endowment"),
        Column("background played"),
    ]
    return Table(
        columns,
        [
            [
                cells.agent(each.entrant.name, looks),
                Cell(game_title(each.task.game)),
                Cell(each.task.reward_mode),
                cells.measured(each.focal_payoff),
                cells.measured(each.background_payoff),
                cells.measured(each.advantage),
                cells.measured_share(each.focal_cooperation),
                cells.measured_share(each.background_cooperation),
            ]
            for each in found
        ],
    )
