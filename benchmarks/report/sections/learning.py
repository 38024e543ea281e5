"""Learning curves, with the play they should be compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import class_name, counted, game_title, mode_title, sample_size, slug
from coopgym.benchmarks.drawing.plots.lines import BANDS, Axis, Level, Line, lines
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content.blocks import Block, Chart, Fold, Gallery, Section, SeriesLegend
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import Estimate, mean_estimate
from coopgym.benchmarks.score.estimates import STUDENT
from coopgym.benchmarks.score.settings import RANDOM, Setting, mode_order
from coopgym.corpus.schema import is_self_play
from coopgym.rewards import MODES

SHARES = Axis("share of endowment played", (0.0, 1.0), (0, 0.25, 0.5, 0.75, 1), as_percent=True)


@dataclass(frozen=True)
class Metric:
    """A curve that is drawn."""

    title: str
    axis: Axis
    while_training: bool
    """With the noise of exploration, rather than by the best guesses of the policies as they are."""


METRICS = {
    "eval_welfare": Metric("welfare", Axis("welfare of an episode"), while_training=False),
    "eval_cooperation": Metric("cooperation", SHARES, while_training=False),
    "payoff": Metric("payoff", Axis("payoff per seat and step"), while_training=True),
    "cooperation": Metric("cooperation", SHARES, while_training=True),
}
"""By their name in ``curves``."""
SETTING = ("environment", "env_parameters", "reward_mode", "mechanism_class")
"""Columns of ``runs`` that say where a learner trained."""
MOST_POINTS = 48
"""Points of a drawn curve; of a longer one only every so many."""
MOST_NAMES = 10
"""Lines up to which each bears its name; more are told apart by the legend."""
UNFOLDED = 6
"""Games up to which all curves lie open."""
REFERENCES = {"Oracle_Nash": "stage Nash", "Oracle_SocialOptimum": "social optimum", "Oracle_Planner": "best plan"}
"""Oracles whose play is drawn under the curves."""

Points = list[tuple[float, Estimate]]


@dataclass(frozen=True)
class LearningCurves:
    """What was learned in a setting, by one metric."""

    setting: Setting
    mechanism_class: str
    metric: str
    curves: Mapping[str, Points]
    """By learner: thousands of steps, and the mean over seeds."""
    levels: Sequence[Level]


def learning(report_data: ReportData) -> Section | None:
    """Draw what learners earned and played while they trained."""
    found = list(_trained(report_data))
    if not found:
        return None
    names = dict.fromkeys(name for each in found for name in each.curves)
    games = dict.fromkeys((each.mechanism_class, each.setting.game) for each in found)
    sizes = [point.n for each in found for points in each.curves.values() for _, point in points]
    bands = f"Bands: {STUDENT}" if len(names) <= BANDS else "Means over seeds"
    caption = f"{bands}, {sample_size(sizes)}."
    blocks: list[Block] = [SeriesLegend({name: report_data.styles[name] for name in names}, with_lines=True)]
    for mechanism_class, game in games:
        parts = _parts([each for each in found if each.setting.game == game])
        galleries = {
            title: Gallery([_chart(each, report_data.styles) for each in own], caption) for title, own in parts
        }
        first, *others = galleries.items()
        folded: list[Block] = [first[1], *(Fold(title, [gallery]) for title, gallery in others)]
        blocks.append(Fold(game_title(game), folded, class_name(mechanism_class), open=len(games) <= UNFOLDED))
    return Section(
        id="learning",
        title="Learning",
        how=(
            "What was earned and played in the course of training, by the best guesses of the policies as they are "
            "or, with the noise of exploration, while training. Payoff and welfare are what was earned, whatever the "
            "reward made of it, so that rewards can be compared on them. Dashed lines are play to compare with: "
            f"Random, the best constant and, where the study played them, oracles. {counted(len(games), 'game')}, "
            f"{counted(len(names), 'learner')}."
        ),
        blocks=blocks,
    )


def _trained(report_data: ReportData) -> Iterator[LearningCurves]:
    found: dict[tuple[Setting, str], dict[str, dict[int, list[float]]]] = {}
    classes: dict[Setting, str] = {}
    for row in _by_step(report_data).to_pylist():
        setting = Setting(row["environment"], row["env_parameters"], row["reward_mode"])
        classes[setting] = row["mechanism_class"]
        by_step = found.setdefault((setting, row["metric"]), {}).setdefault(row["algorithm"], {})
        by_step[row["step"]] = row["value_list"]
    levels = _levels(report_data.rows)
    order = list(METRICS)
    for setting, metric in sorted(found, key=lambda key: (*_place(key[0], classes), order.index(key[1]))):
        curves = {name: _curve(steps) for name, steps in sorted(found[setting, metric].items())}
        yield LearningCurves(setting, classes[setting], metric, curves, levels.get((setting, metric), ()))


def _by_step(report_data: ReportData) -> pa.Table:
    """Return what the seeds of a learner reached at a step, in lists."""
    curves, columns = report_data.corpus.curves.arrow, ["algorithm", *SETTING]
    drawn = pc.and_(pc.is_in(curves.column("metric"), pa.array(METRICS)), pc.is_valid(curves.column("value")))
    learners = report_data.runs.filter(pc.equal(report_data.runs.column("algorithm_kind"), "learner"))
    joined = curves.filter(drawn).join(learners.select(["run_id", *columns]), "run_id", join_type="inner")
    keys = [*columns, "metric", "step"]
    return (
        joined.group_by(keys, use_threads=False)
        .aggregate([("value", "list")])
        .sort_by([(key, "ascending") for key in keys])
    )


def _place(setting: Setting, classes: Mapping[Setting, str]) -> tuple[Any, ...]:
    return classes[setting], setting.game, mode_order(setting.reward_mode)


def _curve(steps: Mapping[int, Sequence[float]]) -> Points:
    """Means over seeds by thousands of steps; of many points only every so many, the last among them."""
    every = sorted(steps)
    stride = -(-len(every) // MOST_POINTS)
    points = [(step / 1000, mean_estimate(sorted(steps[step]))) for step in every[::-1][::stride][::-1]]
    return [(step, each) for step, each in points if each is not None]


def _levels(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[Setting, str], list[Level]]:
    """What scripted play reaches by every metric: Random, the constant with the largest welfare, and oracles."""
    played: dict[tuple[Setting, str], dict[str, list[float]]] = {}
    for row in rows:
        if (
            is_self_play(row)
            and row["welfare"] is not None
            and row["algorithm_kind"] in ("constant", "heuristic", "oracle")
        ):
            setting = Setting(row["environment"], row["env_parameters"], row["reward_mode"])
            payoff = row["welfare"] / (row["n_agents"] * row["episode_length"])
            values = (row["welfare"], row["cooperation_rate"], payoff, row["cooperation_rate"])
            for metric, value in zip(METRICS, values, strict=True):
                played.setdefault((setting, metric), {}).setdefault(row["algorithm"], []).append(value)
    return {
        (setting, metric): [
            Level(title, float(np.mean(values[name])))
            for name, title in _chosen(played[setting, "eval_welfare"]).items()
        ]
        for (setting, metric), values in played.items()
    }


def _chosen(earned: Mapping[str, Sequence[float]]) -> dict[str, str]:
    """Titles of the play to compare with, by algorithm."""
    constants = [name for name in earned if name.startswith("Constant_")]
    best = max(constants, key=lambda name: float(np.mean(earned[name])), default=None)
    chosen = {RANDOM: "Random"} if RANDOM in earned else {}
    if best is not None:
        chosen[best] = f"constant {int(best.rpartition('_')[2])} %"
    return chosen | {name: title for name, title in REFERENCES.items() if name in earned}


def _parts(found: Sequence[LearningCurves]) -> list[tuple[str, list[LearningCurves]]]:
    """Group curves by importance: what policies are worth under named rewards comes first, if there is any of it."""
    parts: dict[tuple[bool, bool], list[LearningCurves]] = {}
    for each in found:
        parts.setdefault((METRICS[each.metric].while_training, each.setting.reward_mode not in MODES), []).append(each)
    titles = {(False, False): "Policies as they are", (True, False): "While training, with exploration"}
    return [
        (titles.get(place, f"Other rewards{', while training' if place[0] else ''}"), parts[place])
        for place in sorted(parts)
    ]


def _chart(trained: LearningCurves, styles: Mapping[str, SeriesStyle]) -> Chart:
    game, mode = game_title(trained.setting.game), trained.setting.reward_mode
    return Chart(
        name=f"learning-{slug(game)}-{slug(mode)}-{trained.metric}",
        label=f"Learning in {game}, {mode_title(mode)}, {trained.metric}",
        draw=partial(_figure, trained, styles),
    )


def _figure(trained: LearningCurves, styles: Mapping[str, SeriesStyle]) -> Figure:
    return lines(
        [_line(name, points, styles[name]) for name, points in trained.curves.items()],
        Axis("environment steps, thousands"),
        METRICS[trained.metric].axis,
        title=f"{METRICS[trained.metric].title}, {mode_title(trained.setting.reward_mode)}",
        levels=trained.levels,
        names="at ends" if len(trained.curves) <= MOST_NAMES else "nowhere",
    )


def _line(name: str, points: Points, style: SeriesStyle) -> Line:
    banded = all(each.low is not None for _, each in points)
    low, high = ([getattr(each, end) for _, each in points] if banded else None for end in ("low", "high"))
    return Line(
        name, [step for step, _ in points], [each.value for _, each in points], style.colour, style.dash, low, high
    )
