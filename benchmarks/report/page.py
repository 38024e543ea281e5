"""Fill the page: everything the report shows, computed from a corpus and set in the template."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from benchmarks.progress import duration
from benchmarks.report.figures import Point, learning_figure, ranking_figure, response_figure
from benchmarks.report.portraits import portraits
from benchmarks.report.template import page_template
from benchmarks.store import STUDY_FILE
from benchmarks.summary import Cell, Interval, Ranking, Summary, mode_order, to_csv
from coopgym.corpus.reader import Corpus
from coopgym.corpus.writer import write_atomically
from coopgym.rewards import MODES

LEARNING_METRICS = {"payoff": "payoff per seat and step", "cooperation": "share of endowment played"}
"""Curve metrics that are drawn, and what their axis says."""
SUMMARY_FILE = "summary.csv"
VERSIONS = ("package_version", "git_revision", "python", "numpy", "torch", "device")
CLASS_NAMES = {
    "TR-1": "interdependence",
    "TR-2": "trust",
    "TR-3": "collective action",
    "TR-4": "reciprocity",
}


@dataclass(frozen=True)
class Overview:
    """Mean scores per algorithm, mechanism class and reward mode."""

    classes: Mapping[str, int]
    """Number of games per class."""
    modes: tuple[str, ...]
    rows: Mapping[str, Mapping[tuple[str, str], Interval]]
    """By algorithm, then by class and mode: the mean over n games."""


def write_report(corpus: Corpus, summary: Summary, path: Path) -> Path:
    """Write the report of a corpus, and its summary as CSV beside it; return the place of the summary.

    Raises:
        CorpusError: a shard cannot be read.
        OSError: a file cannot be written.
    """
    table = path.with_name(SUMMARY_FILE)
    write_atomically(path, render(corpus, summary).encode())
    write_atomically(table, to_csv(summary).encode())
    return table


def render(corpus: Corpus, summary: Summary) -> str:
    """Return the page. The same corpus gives the same bytes."""
    rankings = summary.rankings()
    study = _study(corpus)
    return page_template("report/page.html.j2").render(
        study=study,
        facts=_facts(corpus, summary),
        rankings=[(ranking, Markup(ranking_figure(ranking))) for ranking in rankings],
        overview=overview(summary, rankings),
        class_names=CLASS_NAMES,
        all_games=len(summary.games),
        responses=[Markup(figure) for figure in _responses(summary)],
        learning=[Markup(figure) for figure in _learning(corpus)],
        modes=summary.modes,
        named_modes=tuple(MODES),
        games=_game_tables(summary),
        portraits=[(each, [Markup(panel) for panel in each.panels]) for each in portraits(_played(corpus))],
        failures=_failures(corpus),
        provenance=_provenance(corpus),
    )


def overview(summary: Summary, rankings: Sequence[Ranking]) -> Overview:
    """Average scores over the games of each class, for the algorithms that appear in a ranking."""
    shown = dict.fromkeys(row.algorithm for ranking in rankings for row in ranking.rows)
    scores: dict[str, dict[tuple[str, str], list[float]]] = {name: {} for name in shown}
    games: dict[str, set[str]] = {}
    for cell in summary.cells:
        games.setdefault(cell.mechanism_class, set()).add(cell.setting.game)
        if cell.algorithm in scores and cell.score:
            place = (cell.mechanism_class, cell.setting.reward_mode)
            scores[cell.algorithm].setdefault(place, []).append(cell.score.mean)
    return Overview(
        classes={name: len(members) for name, members in games.items()},
        modes=summary.modes,
        rows={name: {place: Interval.of(each) for place, each in found.items()} for name, found in scores.items()},
    )


def _study(corpus: Corpus) -> Mapping[str, str]:
    path = corpus.path / STUDY_FILE
    if not path.exists():
        return {"name": corpus.path.name, "description": "", "definition": ""}
    study = json.loads(path.read_text(encoding="utf-8"))
    return {
        "name": study["name"],
        "description": study["description"],
        "definition": json.dumps(study, indent=2, ensure_ascii=False),
    }


def _played(corpus: Corpus) -> Iterable[tuple[str, str]]:
    rows = corpus.runs.select(["environment", "env_parameters"]).to_pylist()
    return sorted({(row["environment"], row["env_parameters"]) for row in rows})


def _facts(corpus: Corpus, summary: Summary) -> dict[str, str]:
    runs = corpus.runs
    statuses = runs.column("status").to_pylist()
    seconds = [*runs.column("wall_seconds_train").to_pylist(), *runs.column("wall_seconds_eval").to_pylist()]
    facts = {
        "games": str(len(summary.games)),
        "reward modes": str(len(summary.modes)),
        "algorithms": str(len(runs.column("algorithm").unique())),
        "runs": f"{len(runs):,}",
        "computing time": duration(sum(second or 0.0 for second in seconds)),
    }
    for status in ("diverged", "failed"):
        if status in statuses:
            facts[status] = str(statuses.count(status))
    return facts


def _responses(summary: Summary) -> Iterable[str]:
    for game in summary.games:
        constants: dict[str, list[Cell]] = {}
        for cell in summary.cells:
            if cell.setting.game == game and cell.kind == "constant" and cell.score:
                constants.setdefault(cell.setting.reward_mode, []).append(cell)
        curves = {mode: constants[mode] for mode in summary.modes if len(constants.get(mode, ())) > 1}
        if curves:
            yield response_figure(game, curves)


def _learning(corpus: Corpus) -> Iterable[str]:
    learners = {
        row["run_id"]: row
        for row in corpus.runs.select(
            ["run_id", "algorithm", "algorithm_kind", "environment", "reward_mode", "seed"]
        ).to_pylist()
        if row["algorithm_kind"] == "learner"
    }
    values: dict[tuple[str, str, str], dict[str, dict[int, dict[int, float]]]] = {}
    for point in corpus.curves.to_pylist():
        run = learners[point["run_id"]]
        if point["metric"] in LEARNING_METRICS and point["value"] is not None:
            figure = values.setdefault((run["environment"], run["algorithm"], point["metric"]), {})
            by_step = figure.setdefault(run["reward_mode"], {}).setdefault(point["step"], {})
            by_step[run["seed"]] = point["value"]
    order = list(LEARNING_METRICS)
    for game, algorithm, metric in sorted(values, key=lambda key: (*key[:2], order.index(key[2]))):
        modes = values[game, algorithm, metric]
        curves = {
            mode: [Point(step, Interval.of(list(seeds.values()))) for step, seeds in sorted(steps.items())]
            for mode, steps in sorted(modes.items(), key=lambda item: mode_order(item[0]))
        }
        yield learning_figure(f"{algorithm} on {game}", LEARNING_METRICS[metric], curves)


def _game_tables(summary: Summary) -> dict[str, dict[str, list[Cell]]]:
    """Cells by game and mode, best score first; of a fine scan of constants every tenth level and the best."""
    tables: dict[str, dict[str, list[Cell]]] = {}
    for cell in summary.cells:
        tables.setdefault(cell.setting.game, {}).setdefault(cell.setting.reward_mode, []).append(cell)
    return {game: {mode: _shown(cells) for mode, cells in modes.items()} for game, modes in tables.items()}


def _shown(cells: list[Cell]) -> list[Cell]:
    ordered = sorted(cells, key=lambda cell: (-cell.score.mean if cell.score else float("inf"), cell.algorithm))
    best = next((cell for cell in ordered if cell.kind == "constant"), None)
    return [cell for cell in ordered if cell.kind != "constant" or cell.algorithm.endswith("0") or cell is best]


def _failures(corpus: Corpus) -> list[Mapping[str, Any]]:
    columns = ["environment", "algorithm", "reward_mode", "seed", "status", "diverged_at_step", "error"]
    rows = [row for row in corpus.runs.select(columns).to_pylist() if row["status"] != "completed"]
    for row in rows:
        last = (row["error"] or "").strip().splitlines()[-1:]
        row["cause"] = last[0] if last else f"numbers stopped being finite after {row['diverged_at_step']:,} steps"
    return sorted(rows, key=lambda row: tuple(str(row[name]) for name in columns[:4]))


def _provenance(corpus: Corpus) -> dict[str, str]:
    found = {name.replace("_", " "): ", ".join(values) for name, values in corpus.metadata.items()}
    for name in VERSIONS:
        values = sorted({value for value in corpus.runs.column(name).to_pylist() if value})
        if values:
            found[name.replace("_", " ")] = ", ".join(values)
    started = [moment for moment in corpus.runs.column("started_at").to_pylist() if moment]
    found["computed"] = f"{min(started):%Y-%m-%d %H:%M} to {max(started):%Y-%m-%d %H:%M} UTC"
    return found
