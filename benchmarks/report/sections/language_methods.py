"""Methods that train language models, compared at equal numbers of tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import (
    class_name,
    counted,
    game_title,
    listed,
    mode_title,
    percent,
    sample_size,
    slug,
)
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, Span, dots
from coopgym.benchmarks.drawing.plots.lines import Axis, Level, Line, lines
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import Block, Cell, Chart, Column, Fold, Gallery, Heading, Section, Table
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.data.token_curves import OUTCOME, WINDOW, MethodComparison, method_comparisons, warm_ups
from coopgym.benchmarks.report.sections.learning import UNFOLDED
from coopgym.benchmarks.score import Estimate, mean_estimate
from coopgym.benchmarks.score.estimates import STUDENT
from coopgym.benchmarks.score.scores import Metric

OUTCOMES = {
    "graded": "nearness to the oracle’s level",
    "final": "nearness to the oracle’s last level",
    "payoff": "reward between disagreement and optimum",
    "welfare": "welfare between disagreement and optimum",
}
"""What a rollout is worth, by hyper-parameter."""
POINTS = 40
"""Of a drawn curve."""
BEFORE = "before training"
"""What the model is called that warm-up, or whoever made it, left to be trained."""
MOST_LINES, MOST_BANDS = 8, 4
"""Methods whose curves are drawn, and up to which they have bands; the others are compared by dots."""
FLOOR = Span(low=-1.0)
"""Scores below are drawn at the edge."""


def language_methods(report_data: ReportData) -> Section | None:
    """Compare methods of training language models by what they reach with the same tokens."""
    found = method_comparisons(report_data.runs, report_data.corpus.curves.arrow)
    if not found:
        return None
    starts = warm_ups(report_data.runs)
    scale = report_data.leaderboards[0].table().scale.label if report_data.leaderboards else ""
    scored = [
        _Scored(compared, start, _scores(compared, start, report_data), scale)
        for compared in found
        for start in [starts.get(compared.setting)]
    ]
    games = dict.fromkeys((each.mechanism_class, each.setting.game) for each in found)
    blocks: list[Block] = []
    for mechanism_class, game in games:
        own = [
            block
            for each in scored
            if each.compared.setting.game == game
            for block in _blocks(each, report_data.styles)
        ]
        blocks.append(Fold(game_title(game), own, class_name(mechanism_class), open=len(games) <= UNFOLDED))
    return Section(
        id="language-methods",
        title="Methods of language models",
        how=(
            "What methods of training a language model reach with the same number of tokens: those that the model "
            "generated and those that were spent on help, such as probes and repairs. They are compared at the largest "
            "number that all runs of a game and reward mode reached. A curve tells the outcome of rollouts by the "
            "model that so many tokens had trained; all start from the model before training. Scores are those of the "
            "evaluation after all training, whatever it cost, with messages drawn as in training if the study has such "
            "episodes. Only completed runs are compared."
        ),
        blocks=blocks,
        finding=_finding(scored),
    )


@dataclass(frozen=True, eq=False)
class _Scored:
    """Methods to compare, with their scores and that of the model before training."""

    compared: MethodComparison
    start: str | None
    """Name of the model before training, if the study entered it."""
    scores: Mapping[str, Estimate]
    scale: str
    """What scores mean."""

    @property
    def name(self) -> str:
        setting = self.compared.setting
        return f"{slug(game_title(setting.game))}-{slug(setting.reward_mode)}-{slug(self.compared.outcome)}"

    @property
    def title(self) -> str:
        return f"{game_title(self.compared.setting.game)}, {mode_title(self.compared.setting.reward_mode)}"


def _scores(compared: MethodComparison, start: str | None, report_data: ReportData) -> dict[str, Estimate]:
    """Return the scores of methods and of the model before training, of those that have one.

    Messages are drawn from the models, as in training, where all of these runs have been evaluated so: the likeliest
    message of a model before training is whatever its seed prefers.
    """
    drawn = _scores_by("sto_return_mode", compared, start, report_data)
    likeliest = _scores_by("return_mode", compared, start, report_data)
    return drawn if drawn.keys() >= likeliest.keys() else likeliest


def _scores_by(
    metric: Metric, compared: MethodComparison, start: str | None, report_data: ReportData
) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    for leaderboard in report_data.leaderboards:
        table = leaderboard.table(metric)
        place = next((t for t, task in enumerate(table.tasks) if task.setting == compared.setting), None)
        for name in table.names if place is not None else ():
            if name in compared.curves or name == start:
                estimate = mean_estimate(table.scores[table.index(name), place])
                found |= {name: estimate} if estimate is not None else {}
    return found


def _finding(scored: Sequence[_Scored]) -> str:
    cases = [
        (each.scores[name], each.scores[each.start])
        for each in scored
        for name in each.compared.curves
        if each.start is not None and {name, each.start} <= each.scores.keys()
    ]
    above = [own.low > start.high for own, start in cases if own.low is not None and start.high is not None]
    if not above:
        return ""
    return (
        f"In {sum(above)} of {len(above)} cases a trained language model scores above the model before training, "
        "with intervals apart."
    )


def _value(compared: MethodComparison, name: str) -> float:
    reached = compared.reached(name, OUTCOME)
    return -np.inf if reached is None else reached.value


def _blocks(scored: _Scored, styles: Mapping[str, SeriesStyle]) -> Iterator[Block]:
    compared, mode = scored.compared, mode_title(scored.compared.setting.reward_mode)
    drawn = _best(compared)
    chosen = listed(["the best", *([compared.plain] if compared.plain is not None else [])])
    some = f"{len(drawn)} of {len(compared.curves)} methods: {chosen}. " if len(drawn) < len(compared.curves) else ""
    bands = f"Bands: {STUDENT}" if len(drawn) <= MOST_BANDS else "Means over seeds"
    n = sample_size(len(runs) for runs in compared.curves.values())
    yield Heading(f"{mode[0].upper()}{mode[1:]}")
    yield Chart(
        f"language-methods-{scored.name}-curves",
        f"Outcome by tokens in {scored.title}, {compared.outcome}",
        partial(_curves, compared, drawn, styles),
        f"{some}Outcome: {_outcome(compared)}. Each point of a curve is the mean over the {percent(WINDOW)} of the "
        f"budget that precede it. {bands}, {n}. Dashed: the model {BEFORE}.",
    )
    outcomes = {name: compared.reached(name, OUTCOME) for name in compared.curves}
    if scored.start is not None:
        outcomes[scored.start] = compared.start(OUTCOME)
    measured = {"outcome at equal tokens": outcomes, "score after all training": scored.scores}
    charts = [
        Chart(
            f"language-methods-{scored.name}-{slug(axis)}",
            f"{axis.capitalize()} in {scored.title}, {compared.outcome}",
            partial(_dots, scored, estimates, axis, styles),
        )
        for axis, estimates in measured.items()
        if estimates
    ]
    budget = counted(round(compared.budget), "token")
    caption = [
        f"Outcomes at {budget}, which every run spent before its last batch. {STUDENT}, {n}.",
        *([f"Hollow: the model {BEFORE}."] if scored.start is not None else []),
        *([f"Scores: {scored.scale}."] if scored.scores else []),
    ]
    yield Gallery(charts, " ".join(caption))
    yield _table(scored, styles)


def _ranked(compared: MethodComparison) -> list[str]:
    """Return the methods, best outcome first."""
    return sorted(compared.curves, key=lambda name: (-_value(compared, name), name))


def _best(compared: MethodComparison) -> list[str]:
    """Return the methods whose curves are drawn: the best, and the plain one in any case."""
    ranked = _ranked(compared)
    plain = [compared.plain] if compared.plain is not None and compared.plain not in ranked[:MOST_LINES] else []
    return [*ranked[: MOST_LINES - len(plain)], *plain]


def _outcome(compared: MethodComparison) -> str:
    return OUTCOMES.get(compared.outcome, compared.outcome)


def _curves(compared: MethodComparison, names: Sequence[str], styles: Mapping[str, SeriesStyle]) -> Figure:
    tokens = np.linspace(0.0, compared.budget, POINTS)
    start = compared.start(OUTCOME)
    return lines(
        [_line(compared, name, tokens, styles[name], with_band=len(names) <= MOST_BANDS) for name in names],
        Axis("tokens spent, thousands"),
        Axis("outcome"),
        title=mode_title(compared.setting.reward_mode),
        levels=[Level(BEFORE, start.value)] if start else [],
        size=(4.4, 3.0),
    )


def _line(compared: MethodComparison, name: str, tokens: np.ndarray, style: SeriesStyle, with_band: bool) -> Line:
    found = [mean_estimate(column) for column in compared.curve(name, OUTCOME, tokens).T]
    points = [(x / 1000, each) for x, each in zip(tokens.tolist(), found, strict=True) if each is not None]
    banded = with_band and all(each.low is not None for _, each in points)
    low, high = ([getattr(each, end) for _, each in points] if banded else None for end in ("low", "high"))
    return Line(name, [x for x, _ in points], [each.value for _, each in points], style.colour, style.dash, low, high)


def _dots(
    scored: _Scored, estimates: Mapping[str, Estimate | None], axis: str, styles: Mapping[str, SeriesStyle]
) -> Figure:
    """Draw numbers of methods, in the same order whatever the numbers are, and of the model before training."""
    start, rows = scored.start, list[Row]()
    for name in [*_ranked(scored.compared), *([] if start is None else [start])]:
        if (each := estimates.get(name)) is not None:
            style = styles[name]
            rows.append(Row(name, [Dot.of(each, style.colour, style.mark, name != start)]))
    first = None if start is None else estimates.get(start)
    return dots(
        rows,
        axis,
        title=mode_title(scored.compared.setting.reward_mode),
        anchors=(0.0, 1.0) if estimates is scored.scores else (),
        reference_scores={} if first is None else {BEFORE: first.value},
        shown=FLOOR,
    )


def _table(scored: _Scored, styles: Mapping[str, SeriesStyle]) -> Table:
    compared = scored.compared
    first, last, play = "at equal tokens", "after all training", "play at equal tokens"
    columns = [
        Column("method"),
        Column("outcome", _outcome(compared), first),
        *([Column(f"over {compared.plain}", "difference over the seeds that both have", first)] * compared.has_plain),
        Column("score", f"of the evaluation: {scored.scale}", last),
        Column("tokens", "spent before the last batch, mean over seeds", last),
        Column("welfare", "sum of all seats’ payoffs over a rollout", play),
        Column("oracle gap", "distance from the oracle’s level, as a share of endowment", play),
        Column("answered", "share of rollouts with a legal answer", play),
        Column("legal calls", "share of tool calls", play),
        Column("flat groups", "share of groups whose members all have zero advantage", play),
        Column("levels", "distinct ones that a group submits", play),
        Column("turns", "per decision", play),
        Column("tokens", "written per decision", play),
    ]
    return Table(columns, [*(_row(scored, name, styles) for name in _ranked(compared)), _first_row(scored, styles)])


def _row(scored: _Scored, name: str, styles: Mapping[str, SeriesStyle]) -> list[Cell]:
    compared = scored.compared
    spent = mean_estimate([each.reach for each in compared.curves[name]])
    return [
        interval_cells.agent(name, styles),
        interval_cells.measured(compared.reached(name, OUTCOME), 2),
        *([interval_cells.measured(compared.against_plain(name), 2)] * compared.has_plain),
        interval_cells.score(scored.scores.get(name)),
        _number(spent, 0),
        *(written(compared.reached(name, measure)) for measure, written in _SHOWN.items()),
    ]


def _first_row(scored: _Scored, styles: Mapping[str, SeriesStyle]) -> list[Cell]:
    """What the model before training does, by the first batches and by its own evaluation."""
    compared, start = scored.compared, scored.start
    return [
        Cell(BEFORE) if start is None else interval_cells.agent(start, styles),
        interval_cells.measured(compared.start(OUTCOME), 2),
        *([interval_cells.EMPTY] * compared.has_plain),
        interval_cells.score(None if start is None else scored.scores.get(start)),
        interval_cells.number(0.0, 0),
        *(written(compared.start(measure)) for measure, written in _SHOWN.items()),
    ]


def _number(estimate: Estimate | None, digits: int | None = None) -> Cell:
    return interval_cells.number(None if estimate is None else estimate.value, digits)


_SHOWN: Mapping[str, Callable[[Estimate | None], Cell]] = {
    "welfare": _number,
    "oracle_gap": partial(_number, digits=2),
    "answered": interval_cells.measured_share,
    "calls_valid": interval_cells.measured_share,
    "flat_groups": interval_cells.measured_share,
    "distinct_answers": partial(_number, digits=1),
    "turns_per_decision": partial(_number, digits=1),
    "tokens_per_decision": partial(_number, digits=0),
}
"""Measures of the table, and how they are written."""
