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
from coopgym.benchmarks.report.content import cells
from coopgym.benchmarks.report.content.blocks import Block, Cell, Chart, Column, Fold, Gallery, Heading, Section, Table
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.data.token_curves import OUTCOME, WINDOW, Field, trained_fields, warm_ups
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
    found = trained_fields(report_data.runs, report_data.corpus.curves.arrow)
    if not found:
        return None
    starts = warm_ups(report_data.runs)
    scale = report_data.contests[0].table().scale.label if report_data.contests else ""
    scored = [
        _Scored(field, start, _scores(field, start, report_data), scale)
        for field in found
        for start in [starts.get(field.setting)]
    ]
    games = dict.fromkeys((each.mechanism_class, each.setting.game) for each in found)
    blocks: list[Block] = []
    for mechanism_class, game in games:
        own = [
            block for each in scored if each.field.setting.game == game for block in _blocks(each, report_data.styles)
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
    """A field with the scores of its methods and of the model before training."""

    field: Field
    start: str | None
    """Name of the model before training, if the study entered it."""
    scores: Mapping[str, Estimate]
    scale: str
    """What scores mean."""

    @property
    def name(self) -> str:
        setting = self.field.setting
        return f"{slug(game_title(setting.game))}-{slug(setting.reward_mode)}-{slug(self.field.outcome)}"

    @property
    def title(self) -> str:
        return f"{game_title(self.field.setting.game)}, {mode_title(self.field.setting.reward_mode)}"


def _scores(field: Field, start: str | None, report_data: ReportData) -> dict[str, Estimate]:
    """Return the scores of methods and of the model before training, of those that have one.

    Messages are drawn from the models, as in training, where all of these runs have been evaluated so: the likeliest
    message of a model before training is whatever its seed prefers.
    """
    drawn = _scores_by("sto_return_mode", field, start, report_data)
    likeliest = _scores_by("return_mode", field, start, report_data)
    return drawn if drawn.keys() >= likeliest.keys() else likeliest


def _scores_by(metric: Metric, field: Field, start: str | None, report_data: ReportData) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    for contest in report_data.contests:
        table = contest.table(metric)
        place = next((t for t, task in enumerate(table.tasks) if task.setting == field.setting), None)
        for name in table.names if place is not None else ():
            if name in field.courses or name == start:
                estimate = mean_estimate(table.scores[table.index(name), place])
                found |= {name: estimate} if estimate is not None else {}
    return found


def _finding(scored: Sequence[_Scored]) -> str:
    cases = [
        (each.scores[name], each.scores[each.start])
        for each in scored
        for name in each.field.courses
        if each.start is not None and {name, each.start} <= each.scores.keys()
    ]
    above = [own.low > start.high for own, start in cases if own.low is not None and start.high is not None]
    if not above:
        return ""
    return (
        f"In {sum(above)} of {len(above)} cases a trained language model scores above the model before training, "
        "with intervals apart."
    )


def _value(field: Field, name: str) -> float:
    reached = field.reached(name, OUTCOME)
    return -np.inf if reached is None else reached.value


def _blocks(scored: _Scored, styles: Mapping[str, SeriesStyle]) -> Iterator[Block]:
    field, mode = scored.field, mode_title(scored.field.setting.reward_mode)
    drawn = _best(field)
    chosen = listed(["the best", *([field.plain] if field.plain is not None else [])])
    some = f"{len(drawn)} of {len(field.courses)} methods: {chosen}. " if len(drawn) < len(field.courses) else ""
    bands = f"Bands: {STUDENT}" if len(drawn) <= MOST_BANDS else "Means over seeds"
    n = sample_size(len(runs) for runs in field.courses.values())
    yield Heading(f"{mode[0].upper()}{mode[1:]}")
    yield Chart(
        f"language-methods-{scored.name}-curves",
        f"Outcome by tokens in {scored.title}, {field.outcome}",
        partial(_curves, field, drawn, styles),
        f"{some}Outcome: {_outcome(field)}. Each point of a curve is the mean over the {percent(WINDOW)} of the budget "
        f"that precede it. {bands}, {n}. Dashed: the model {BEFORE}.",
    )
    outcomes = {name: field.reached(name, OUTCOME) for name in field.courses}
    if scored.start is not None:
        outcomes[scored.start] = field.start(OUTCOME)
    measured = {"outcome at equal tokens": outcomes, "score after all training": scored.scores}
    charts = [
        Chart(
            f"language-methods-{scored.name}-{slug(axis)}",
            f"{axis.capitalize()} in {scored.title}, {field.outcome}",
            partial(_dots, scored, estimates, axis, styles),
        )
        for axis, estimates in measured.items()
        if estimates
    ]
    budget = counted(round(field.budget), "token")
    caption = [
        f"Outcomes at {budget}, which every run spent before its last batch. {STUDENT}, {n}.",
        *([f"Hollow: the model {BEFORE}."] if scored.start is not None else []),
        *([f"Scores: {scored.scale}."] if scored.scores else []),
    ]
    yield Gallery(charts, " ".join(caption))
    yield _table(scored, styles)


def _ranked(field: Field) -> list[str]:
    """Return the methods, best outcome first."""
    return sorted(field.courses, key=lambda name: (-_value(field, name), name))


def _best(field: Field) -> list[str]:
    """Return the methods whose curves are drawn: the best, and the plain one in any case."""
    ranked = _ranked(field)
    plain = [field.plain] if field.plain is not None and field.plain not in ranked[:MOST_LINES] else []
    return [*ranked[: MOST_LINES - len(plain)], *plain]


def _outcome(field: Field) -> str:
    return OUTCOMES.get(field.outcome, field.outcome)


def _curves(field: Field, names: Sequence[str], styles: Mapping[str, SeriesStyle]) -> Figure:
    tokens = np.linspace(0.0, field.budget, POINTS)
    start = field.start(OUTCOME)
    return lines(
        [_line(field, name, tokens, styles[name], with_band=len(names) <= MOST_BANDS) for name in names],
        Axis("tokens spent, thousands"),
        Axis("outcome"),
        title=mode_title(field.setting.reward_mode),
        levels=[Level(BEFORE, start.value)] if start else [],
        size=(4.4, 3.0),
    )


def _line(field: Field, name: str, tokens: np.ndarray, style: SeriesStyle, with_band: bool) -> Line:
    found = [mean_estimate(column) for column in field.curve(name, OUTCOME, tokens).T]
    points = [(x / 1000, each) for x, each in zip(tokens.tolist(), found, strict=True) if each is not None]
    banded = with_band and all(each.low is not None for _, each in points)
    low, high = ([getattr(each, end) for _, each in points] if banded else None for end in ("low", "high"))
    return Line(name, [x for x, _ in points], [each.value for _, each in points], style.colour, style.dash, low, high)


def _dots(
    scored: _Scored, estimates: Mapping[str, Estimate | None], axis: str, styles: Mapping[str, SeriesStyle]
) -> Figure:
    """Draw numbers of methods, in the same order whatever the numbers are, and of the model before training."""
    start, rows = scored.start, list[Row]()
    for name in [*_ranked(scored.field), *([] if start is None else [start])]:
        if (each := estimates.get(name)) is not None:
            style = styles[name]
            rows.append(Row(name, [Dot.of(each, style.colour, style.mark, name != start)]))
    first = None if start is None else estimates.get(start)
    return dots(
        rows,
        axis,
        title=mode_title(scored.field.setting.reward_mode),
        anchors=(0.0, 1.0) if estimates is scored.scores else (),
        reference_scores={} if first is None else {BEFORE: first.value},
        shown=FLOOR,
    )


def _table(scored: _Scored, styles: Mapping[str, SeriesStyle]) -> Table:
    field = scored.field
    first, last, play = "at equal tokens", "after all training", "play at equal tokens"
    columns = [
        Column("method"),
        Column("outcome", _outcome(field), first),
        *([Column(f"over {field.plain}", "difference over the seeds that both have", first)] * field.has_plain),
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
    return Table(columns, [*(_row(scored, name, styles) for name in _ranked(field)), _first_row(scored, styles)])


def _row(scored: _Scored, name: str, styles: Mapping[str, SeriesStyle]) -> list[Cell]:
    field = scored.field
    spent = mean_estimate([each.reach for each in field.courses[name]])
    return [
        cells.agent(name, styles),
        cells.measured(field.reached(name, OUTCOME), 2),
        *([cells.measured(field.against_plain(name), 2)] * field.has_plain),
        cells.score(scored.scores.get(name)),
        _number(spent, 0),
        *(written(field.reached(name, measure)) for measure, written in _SHOWN.items()),
    ]


def _first_row(scored: _Scored, styles: Mapping[str, SeriesStyle]) -> list[Cell]:
    """What the model before training does, by the first batches and by its own evaluation."""
    field, start = scored.field, scored.start
    return [
        Cell(BEFORE) if start is None else cells.agent(start, styles),
        cells.measured(field.start(OUTCOME), 2),
        *([cells.EMPTY] * field.has_plain),
        cells.score(None if start is None else scored.scores.get(start)),
        cells.number(0.0, 0),
        *(written(field.start(measure)) for measure, written in _SHOWN.items()),
    ]


def _number(estimate: Estimate | None, digits: int | None = None) -> Cell:
    return cells.number(None if estimate is None else estimate.value, digits)


_SHOWN: Mapping[str, Callable[[Estimate | None], Cell]] = {
    "welfare": _number,
    "oracle_gap": partial(_number, digits=2),
    "answered": cells.measured_share,
    "calls_valid": cells.measured_share,
    "flat_groups": cells.measured_share,
    "distinct_answers": partial(_number, digits=1),
    "turns_per_decision": partial(_number, digits=1),
    "tokens_per_decision": partial(_number, digits=0),
}
"""Measures of the table, and how they are written."""
