"""Corpora for the tests of the report: written by hand, so that nothing has to be trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.corpus import Corpus, load_corpus, table_from_rows, write_table
from coopgym.corpus.schema import COLUMNS, SCHEMAS, TableName
from tests.benchmarks.score.run_rows import stranger_columns

GAMES = {"TrustDilemma-v1": "TR-2", "TeamProduction-v1": "TR-3"}
MODES = ("private", "integrated")
SEEDS = (1, 2, 3, 4, 5)
KINDS = {"Random": "heuristic", "TitForTat": "heuristic", "Oracle_Nash": "oracle", "mine:Agent": "plugin"}
LABELS = {"study_hash": "0" * 64, "package_version": "1.2.3"}

Row = dict[str, Any]


def run_row(algorithm: str, **facts: Any) -> Row:
    """A row of ``runs``: completed self-play unless told otherwise, other columns null or plain."""
    kind = "constant" if algorithm.startswith("Constant_") else KINDS.get(algorithm, "learner")
    given = {
        "study": "hand",
        "algorithm": algorithm,
        "algorithm_kind": kind,
        "environment": "TrustDilemma-v1",
        "edition": "formal",
        "mechanism_class": "TR-2",
        "n_agents": 2,
        "horizon": 10,
        "env_parameters": '{"max_steps":10}',
        "reward_mode": "private",
        "seed": SEEDS[0],
        "status": "completed",
        "protocol": "self_play",
        "started_at": datetime(2030, 1, 2, tzinfo=UTC),
        "hyperparameters": "{}",
    } | facts
    identity = ("algorithm", "environment", "env_parameters", "reward_mode", "seed", "protocol", "scenario")
    blank = {
        column.name: None if column.nullable else ("x" if column.type == SCHEMAS["runs"].field("study").type else 1)
        for column in COLUMNS["runs"]
    }
    return blank | {"run_id": "/".join(str(given.get(name)) for name in identity)} | given


def played(algorithm: str, value: float, **facts: Any) -> Row:
    """A completed run of self-play that is worth ``value`` under every metric."""
    returns = dict.fromkeys(
        ("welfare", "return_private", "return_integrated", "return_cooperative", "return_mode"), value
    )
    shares = {
        "cooperation_rate": 0.5,
        "mean_trust_final": 0.6,
        "mean_effective_trust": 0.6,
        "mean_reputation_damage": 0.1,
        "episode_length": 10.0,
        "gini_payoff": 0.1,
        "seat_payoffs": [0.45 * value, 0.55 * value],
        "seat_cooperation": [0.4, 0.6],
    }
    return run_row(algorithm, **returns, **shares, **facts)


def scripted() -> Iterator[Row]:
    """What every study plays: Random under each seed, constants and strategies once."""
    for game, mechanism_class in GAMES.items():
        for mode in MODES:
            place = {"environment": game, "mechanism_class": mechanism_class, "reward_mode": mode}
            yield from (played("Random", 10.0 + seed, seed=seed, **place) for seed in SEEDS)
            yield from (played(f"Constant_{level:02d}", 6.0 + level / 5, **place) for level in (0, 50, 100))
            yield played("TitForTat", 18.0, **place)
            yield played("Oracle_Nash", 8.0, **place)


def learned(algorithm: str, value: float, **facts: Any) -> Iterator[Row]:
    """What a learner reached in every game and mode, a little more with every seed."""
    for game, mechanism_class in GAMES.items():
        for number, mode in enumerate(MODES):
            for seed in SEEDS:
                reached = value + number + 0.2 * seed
                row = played(algorithm, reached, environment=game, mechanism_class=mechanism_class, reward_mode=mode)
                row |= {f"sto_{name}": reached - 1.0 for name in ("welfare", "return_mode")}
                place = {"seed": seed, "run_id": f"{algorithm}/{game}/{mode}/{seed}", "objective": "individual"}
                yield row | place | facts


def diverged(rows: Iterable[Row], seed: int) -> Iterator[Row]:
    """The same runs, of which those under a seed diverged."""
    lost = {name: None for name in COLUMN_NAMES if name in ("welfare", "return_mode") or name.startswith("sto_")}
    for row in rows:
        yield row | lost | {"status": "diverged", "diverged_at_step": 5000} if row["seed"] == seed else row


COLUMN_NAMES = tuple(column.name for column in COLUMNS["runs"])


def continuum(algorithm: str) -> Iterator[Row]:
    """What a learner reached along the mutuality continuum."""
    for degree in (0.0, 0.5, 1.0):
        for seed in SEEDS:
            mode = f"mutuality={degree:g}"
            yield played(algorithm, 14.0 + 4 * degree + 0.2 * seed, reward_mode=mode, mutuality=degree, seed=seed)


def met(focal: str, scenario: str, payoffs: tuple[float, float], seed: int = SEEDS[0]) -> Row:
    """A focal agent in a scenario, with its payoff and that of the others."""
    facts = {
        "focal_payoff": payoffs[0],
        "focal_return": payoffs[0],
        "focal_cooperation": 0.4,
        "background_payoff": payoffs[1],
        "background_return": payoffs[1],
        "background_cooperation": 0.6,
        "background": ["x"],
    }
    return run_row(focal, protocol="scenario", scenario=scenario, seed=seed, **facts)


PARTNERS = tuple(f"{kind}-{number}" for kind in ("grim", "noisy") for number in range(6))


def met_strangers(algorithm: str, value: float, spread: float = 1.0, **facts: Any) -> Iterator[Row]:
    """What an agent returned among strangers, in every game: with some more, with others less."""
    for game, mechanism_class in GAMES.items():
        returns = {name: value + spread * np.sin(number) for number, name in enumerate(PARTNERS)}
        place = {"environment": game, "mechanism_class": mechanism_class, "protocol": "strangers", "scenario": "test"}
        yield run_row(algorithm, **place, **stranger_columns(returns), **facts)


def learned_among_strangers(algorithm: str, value: float, spread: float = 1.0, **facts: Any) -> Iterator[Row]:
    """The same of a learner, a little more with every seed."""
    for seed in SEEDS:
        yield from met_strangers(algorithm, value + 0.1 * seed, spread, seed=seed, **facts)


def strangers() -> Iterator[Row]:
    """Runs among strangers of those that self-play knows, and of a learner that was trained with partners."""
    for name, value in (("TitForTat", 8.6), ("Random", 0.0), ("Constant_50", 8.0), ("Oracle_Nash", 6.0)):
        yield from met_strangers(name, value, spread=0.0 if name == "Constant_50" else 1.0)
    yield from learned_among_strangers("IPPO", 7.0)
    yield from learned_among_strangers("IPPO", 8.0, reward_mode="integrated")
    yield from learned_among_strangers("IA2C", 7.4, 1.4)
    yield from learned_among_strangers("IPPO-strangers", 9.0, hyperparameters='{"partners":"strangers:training"}')


def curves(rows: Iterable[Row]) -> Iterator[Row]:
    """Learning curves of learners' runs."""
    for row in rows:
        if row["algorithm"] in ("IPPO", "MAPPO") and row["reward_mode"] == "private" and row["protocol"] == "self_play":
            for step in range(1000, 6000, 1000):
                share = 0.5 + 0.05 * row["seed"] * step / 5000
                yield {"run_id": row["run_id"], "step": step, "metric": "payoff", "value": 1.0 + share}
                yield {"run_id": row["run_id"], "step": step, "metric": "cooperation", "value": share}


def everything() -> dict[TableName, list[Row]]:
    """Rows of a corpus that fills every section about play."""
    runs = [
        *scripted(),
        *learned("IPPO", 17.0),
        *learned("IPPO-again", 17.2),
        *diverged(learned("MAPPO", 15.0), seed=2),
        *learned("IPPO-team", 19.0, objective="team"),
        *continuum("IPPO"),
        *(met(name, "among wolves", (3.0 + seed, 5.0), seed) for name in ("IPPO", "TitForTat") for seed in SEEDS),
        *(met(one, f"among:{other}", (4.0, 5.0)) for one in ("IPPO", "TitForTat") for other in ("IPPO", "TitForTat")),
        run_row("mine:Agent", status="failed", error="Traceback\nValueError: <script>alert(1)</script>"),
    ]
    for row in runs:
        if row["algorithm"] == "TitForTat" and row["protocol"] == "self_play":
            row["exploitability"] = 2.0
    return {"runs": runs, "curves": list(curves(runs))}


def written(folder: Path, tables: Mapping[TableName, list[Row]], study: str = "") -> Corpus:
    """Write tables, and a study if there is one, and open them as a corpus."""
    for name, rows in tables.items():
        place = folder / name / "all.parquet"
        place.parent.mkdir(parents=True)
        write_table(name, table_from_rows(name, rows), place, **LABELS)
    if study:
        (folder / "study.json").write_text(study, encoding="utf-8")
    return load_corpus(folder)


def surface_rows(run_id: str) -> list[Row]:
    """Rows of ``audit_surface`` with a peak inside."""
    return [
        {
            "run_id": run_id,
            "level": level,
            "seat": seat,
            "action": level,
            "episode_return": 10 - (level - 0.6) ** 2,
            "return_std": 0.0,
            "mean_trust_final": level,
            "episode_length": 10.0,
        }
        for level in np.linspace(0, 1, 5).tolist()
        for seat in (0, 1)
    ]
