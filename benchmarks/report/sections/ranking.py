"""Who does best: interquartile means, ranks and performance profiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from benchmarks.analysis import Profile, RankRow, interquartile_mean, profiles
from benchmarks.report import cells
from benchmarks.report.content import (
    Beside,
    Block,
    Cell,
    Chart,
    Column,
    Fold,
    Heading,
    LookLegend,
    Section,
    Table,
    Text,
)
from benchmarks.report.evidence import LEARNERS, Contest, Evidence
from benchmarks.report.fields import Field, fields, principal
from benchmarks.report.looks import Look
from benchmarks.report.plots.dots import Dot, Row, Span, dots
from benchmarks.report.plots.lines import Axis, Line, lines
from benchmarks.report.words import between, counted, game_title, listed, sample_size, with_interval

FLOOR = Span(low=-1.0)
"""Scores below are drawn at the edge: a few disastrous constants would flatten everything else."""
THRESHOLDS = np.linspace(-0.5, 1.25, 71)
GROUPS = (
    "two algorithms share a letter where paired t tests over common seeds, adjusted after Holm, do not tell them apart "
    "at 5 %"
)
MOST_LINES = 12
"""Profiles drawn in one figure: the best."""


def ranking(evidence: Evidence) -> Section | None:
    """Rank algorithms, each objective of learners by itself."""
    blocks = [block for contest in evidence.contests for block in _contest(contest, evidence)]
    if not blocks:
        return None
    shown = {
        name
        for contest in evidence.contests
        for field in fields(contest, evidence.settings)
        for name in field.table.names
    }
    legend = LookLegend({name: look for name, look in evidence.looks.items() if name in shown})
    scale = evidence.contests[0].table().scale
    return Section(
        id="ranking",
        title="Ranking",
        how=(
            f"A score of 0 is what {scale.zero} reaches in the same game and reward mode, 1 what the {scale.one} of "
            "this study reaches, by the return in that mode. Everybody plays with copies of itself. The score of an "
            "algorithm is the interquartile mean: the mean over the middle half of its runs in all games and modes. "
            "Lines are intervals over seeds; what leaves nothing to chance has none. A run that diverged counts as "
            "the worst that anybody reached in its game."
        ),
        blocks=[legend, *blocks],
        finding=_finding(evidence),
    )


def _finding(evidence: Evidence) -> str:
    found = []
    for contest in evidence.contests:
        field = principal(fields(contest, evidence.settings))
        agents = [row for row in field.ranks.rows if row.entrant.kind not in ("constant", "oracle")] if field else []
        if field and agents:
            scope = field.title[0].lower() + field.title[1:]
            found.append(f"{_placed(agents[0])} is the best agent on {scope}.")
            learner = next((row for row in agents if row.entrant.kind in LEARNERS), agents[0])
            if learner is not agents[0]:
                found.append(f"The best learner is {_placed(learner).rstrip(',')}.")
    return " ".join(found)


def _placed(row: RankRow) -> str:
    return f"{row.entrant.name}, {with_interval(row.score)},"


def _contest(contest: Contest, evidence: Evidence) -> Iterator[Block]:
    found = fields(contest, evidence.settings)
    chosen = principal(found)
    if chosen is None:
        return
    yield Heading(chosen.title)
    yield from _field(chosen, evidence.looks)
    if chosen.has_diverged:
        without = principal(fields(contest, evidence.settings, diverged="excluded"))
        if without is not None:
            yield Heading(f"{without.title}, without runs that diverged")
            yield from _field(without, evidence.looks, "-without-diverged")
    if len(chosen.table.names) > 1:
        yield Heading(f"How scores spread: {chosen.title[0].lower()}{chosen.title[1:]}")
        yield _profiles(chosen, evidence.looks)
    for field in found:
        if field is not chosen:
            yield Fold(field.title, list(_field(field, evidence.looks)), counted(len(field.table.names), "algorithm"))


def _field(field: Field, looks: Mapping[str, Look], remark: str = "") -> Iterator[Block]:
    rows = field.ranks.rows
    if field.absent:
        yield Text(f"Not in this table, since they lack scores in some game or mode: {listed(field.absent)}.")
    if len(field.table.games) < field.games:
        games = listed(map(game_title, field.table.games), 12)
        yield Text(f"Games: {games}, under {listed(field.table.modes)} reward.")
    chart = Chart(
        name=f"ranking-{field.name}{remark}",
        label=f"Ranking, {field.title}{remark.replace('-', ' ')}",
        draw=partial(_figure, rows, looks, field),
        caption=(
            f"The further right the better; grey lines are the two anchors. {field.settings.caption}, "
            f"{sample_size(row.score.n for row in rows)}."
        ),
    )
    yield Beside(chart, _table(field, looks))


def _figure(rows: Sequence[RankRow], looks: Mapping[str, Look], field: Field) -> Figure:
    drawn = []
    for row in rows:
        look = looks[row.entrant.name]
        drawn.append(
            Row(row.entrant.name, [Dot(row.score.value, look.colour, row.score.low, row.score.high, look.mark)])
        )
    return dots(drawn, f"score: {field.table.scale.label}", anchors=(0.0, 1.0), landmarks=field.landmarks, shown=FLOOR)


def _table(field: Field, looks: Mapping[str, Look]) -> Table:
    modes = field.table.modes
    played = _cooperation(field)
    rows = []
    for row in field.ranks.rows:
        name = row.entrant.name
        ranks = between(row.low, row.high, 0) if row.low < row.high else ""
        rows.append(
            [
                cells.agent(name, looks),
                Cell(f"{row.rank:g}", row.rank, note=ranks),
                cells.score(row.score),
                Cell(row.letters),
                cells.share(row.best),
                *(cells.number(_mean_in(field, name, mode), 2) for mode in modes if len(modes) > 1),
                cells.share(played.get(name)),
            ]
        )
    columns = [
        Column("algorithm"),
        Column("rank", "place by score, with its interval over resamples"),
        Column("score", "interquartile mean with its interval"),
        Column("group", GROUPS),
        Column("best", "share of resamples in which nobody is better"),
        *(Column(mode, "interquartile mean in this reward mode") for mode in modes if len(modes) > 1),
        Column("played", "mean share of endowment put in"),
    ]
    return Table(columns, rows)


def _mean_in(field: Field, name: str, mode: str) -> float:
    replicates = field.table.of_mode(mode).replicates(name)
    return float(interquartile_mean(replicates, replicates.once)[0])


def _cooperation(field: Field) -> dict[str, float]:
    tasks, found = set(field.table.tasks), dict[str, list[float]]()
    for each in field.contest.distributions:
        if each.task in tasks and each.cooperation is not None:
            found.setdefault(each.entrant.name, []).append(each.cooperation.value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _profiles(field: Field, looks: Mapping[str, Look]) -> Chart:
    best = [row.entrant.name for row in field.ranks.rows[:MOST_LINES]]
    of = f"the best {MOST_LINES} of {len(field.ranks.rows)} algorithms; " if len(field.ranks.rows) > MOST_LINES else ""
    return Chart(
        name=f"profiles-{field.name}",
        label=f"Performance profiles, {field.title}",
        draw=partial(_profile_figure, field, best, looks),
        caption=(
            f"Share of runs that score above a threshold, every game and mode with the same weight: {of}the higher "
            "a line the better, and where two cross, one is better at its best and the other at its worst. Names "
            f"stand in order of rank. Bands: {field.settings.caption}, pointwise."
        ),
    )


def _profile_figure(field: Field, names: Sequence[str], looks: Mapping[str, Look]) -> Figure:
    found = {each.entrant.name: each for each in profiles(field.table.only(names), field.settings, THRESHOLDS)}
    return lines(
        [_profile(found[name], looks[name]) for name in names],
        Axis(f"score threshold: {field.table.scale.label}", (THRESHOLDS[0], THRESHOLDS[-1])),
        Axis("share of runs above", (0.0, 1.0), (0, 0.25, 0.5, 0.75, 1.0), as_percent=True),
        names="listed",
        size=(4.2, 3.0),
    )


def _profile(found: Profile, look: Look) -> Line:
    return Line(found.entrant.name, found.thresholds, found.share, look.colour, look.dash, found.low, found.high)
