"""Several corpora as one: which runs count, which do not, and what is said about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from coopgym.benchmarks.score import Pool, pool
from coopgym.benchmarks.score.first_table import IN_WORLDS, WITH_ITSELF
from coopgym.corpus import CorpusError, load_corpus
from tests.benchmarks.report_corpora import (
    GAMES,
    MODES,
    SEEDS,
    Row,
    learned,
    learned_among_strangers,
    met_strangers,
    played,
    scripted,
    strangers,
    written,
)

KEPT = Path(__file__).parents[2] / "data" / "corpora"


def reference() -> Iterator[Row]:
    """What every study plays, with the two oracles that welfare stands between."""
    yield from scripted()
    for row in scripted():
        if row["algorithm"] == "Oracle_Nash":
            facts = {name: row[name] for name in ("environment", "mechanism_class", "reward_mode")}
            yield played("Oracle_CommitmentNash", 10.0, algorithm_kind="oracle", **facts)
            yield played("Oracle_Planner", 30.0, algorithm_kind="oracle", **facts)


def identified(rows: Iterable[Row], **player: object) -> Iterator[Row]:
    """The same runs of a user's agent, which know what determines them."""
    for row in rows:
        told = {"name": row["algorithm"], "settings": {}, "version": None, "source": None, "seats": None} | player
        key = {name: row[name] for name in ("environment", "reward_mode", "seed", "algorithm")}
        identity = json.dumps(key | {"training": None, "players": [told]}, sort_keys=True)
        run_id = hashlib.sha256(identity.encode()).hexdigest()
        yield row | {"algorithm_kind": "plugin", "identity": identity, "run_id": run_id, "objective": None}


def pooled(folder: Path, **corpora: Iterable[Row]) -> Pool:
    """Write corpora and read them as one, in their order."""
    return pool([str(written(folder / name, {"runs": list(rows)}).path) for name, rows in corpora.items()])


def seeds(found: Pool, agent: str) -> dict[int, float]:
    """Welfare by seed of one agent in one place."""
    rows = found.runs.to_pylist()
    here = [row for row in rows if row["algorithm"] == agent and row["environment"] == "TrustDilemma-v1"]
    return {row["seed"]: row["welfare"] for row in here if row["reward_mode"] == MODES[1]}


def test_runs_that_several_corpora_hold_count_once(tmp_path: Path) -> None:
    found = pooled(tmp_path, one=[*reference(), *learned("IPPO", 20.0)], two=[*reference(), *learned("IA2C", 22.0)])
    assert found.remarks == ()
    assert len(found.runs) == len({row["run_id"] for row in found.runs.to_pylist()})
    assert [source.counted for source in found.sources] == [found.sources[0].runs, len([*learned("IA2C", 22.0)])]
    assert [source.repeated for source in found.sources] == [0, len([*reference()])]
    together = written(tmp_path / "all", {"runs": [*reference(), *learned("IPPO", 20.0), *learned("IA2C", 22.0)]})
    (alone,) = [pool([str(together.path)])]
    for row, other in zip(found.table.rows, alone.table.rows, strict=True):
        assert (row.title, row.answers, row.groups) == (other.title, other.answers, other.groups)


def test_other_runs_in_the_same_places_are_never_averaged_and_the_first_corpus_counts(tmp_path: Path) -> None:
    mine = [row | {"run_id": f"mine/{row['run_id']}", "hyperparameters": '{"lr":1}'} for row in learned("IPPO", 5.0)]
    more = [row | {"seed": 9, "run_id": f"more/{row['run_id']}"} for row in mine if row["seed"] == SEEDS[0]]
    found = pooled(tmp_path, first=[*reference(), *learned("IPPO", 20.0)], second=[*mine, *more])
    (seed, value) = next(iter(seeds(found, "IPPO").items()))
    assert (set(seeds(found, "IPPO")), value) == (set(SEEDS), pytest.approx(21.0 + 0.2 * seed))
    (remark,) = found.remarks
    assert remark == (
        f"second: {len(mine) + len(more)} runs of IPPO left out, for first, named before, holds other runs in their "
        "places"
    )
    assert found.sources[1].counted == 0


def test_seeds_of_one_specification_come_together(tmp_path: Path) -> None:
    late = [row | {"seed": row["seed"] + 10, "run_id": f"late/{row['run_id']}"} for row in learned("IPPO", 20.0)]
    found = pooled(tmp_path, first=[*reference(), *learned("IPPO", 20.0)], second=late)
    assert found.remarks == ()
    assert set(seeds(found, "IPPO")) == {*SEEDS, *(seed + 10 for seed in SEEDS)}


def test_other_code_under_one_name_is_another_agent(tmp_path: Path) -> None:
    rows = [row for row in learned("mine:Agent", 24.0) if row["environment"] == "TrustDilemma-v1"]
    elsewhere = [row for row in learned("mine:Agent", 3.0) if row["environment"] != "TrustDilemma-v1"]
    found = pooled(tmp_path, a=[*reference(), *identified(rows, source="aa")], b=identified(elsewhere, source="bb"))
    assert found.remarks == (
        f"b: {len(elsewhere)} runs of mine:Agent left out, for a, named before, holds other code under their name",
    )
    same = pooled(tmp_path / "same", a=[*reference(), *identified(rows, source="aa")],
                  b=identified(elsewhere, source="aa"))  # fmt: skip
    assert same.remarks == ()
    assert same.sources[1].counted == len(elsewhere)


def test_copies_of_a_run_with_other_numbers_are_told(tmp_path: Path) -> None:
    altered = [row | {"welfare": row["welfare"] + 1.0} if row["seed"] == 3 else row for row in learned("IPPO", 20.0)]
    found = pooled(tmp_path, first=[*reference(), *learned("IPPO", 20.0)], second=altered)
    assert [remark.partition(";")[0] for remark in found.remarks] == [
        "second: 4 runs came to other numbers than the same runs in first, which count"
    ]
    assert seeds(found, "IPPO")[3] == pytest.approx(21.6)
    assert found.sources[1].repeated == len(altered) - 4


def test_what_was_searched_for_deviations_counts_before_what_was_not(tmp_path: Path) -> None:
    searched = [row | {"exploitability": 2.0} for row in learned("IPPO", 20.0)]
    found = pooled(tmp_path, first=[*reference(), *learned("IPPO", 20.0)], second=searched)
    assert found.remarks == ()
    assert {row["exploitability"] for row in found.runs.to_pylist() if row["algorithm"] == "IPPO"} == {2.0}
    assert "regret" in [question.name for question in found.table.questions]


def test_runs_among_strangers_that_were_valued_otherwise_are_told(tmp_path: Path) -> None:
    others = [row | {"stranger_ceilings": [value + 1.0 for value in row["stranger_ceilings"]]}
              for row in learned_among_strangers("MAPPO", 7.0)]  # fmt: skip
    found = pooled(tmp_path, first=[*reference(), *strangers()], second=others)
    (remark,) = found.remarks
    assert remark.startswith(f"{len(others)} runs among strangers not compared: they met others than most runs")
    assert not any("MAPPO" in row.title for row in found.table.rows)


def test_an_agent_in_several_roles_is_one_row(tmp_path: Path) -> None:
    found = pool(["worlds-v1", str(written(tmp_path, {"runs": list(reference())}).path)])
    (row,) = [row for row in found.table.rows if "TitForTat" in {each.name for each in row.agents}]
    assert {name for name, answer in row.answers.items() if answer} == {WITH_ITSELF, IN_WORLDS}


def test_a_hash_tells_what_runs_came_to_and_not_where_they_lie(tmp_path: Path) -> None:
    rows = [*reference(), *learned("IPPO", 20.0)]
    other = [*rows[:-1], rows[-1] | {"welfare": rows[-1]["welfare"] + 1e-6}]
    digests = [pooled(tmp_path / name, corpus=each).sources[0].digest
               for name, each in {"a": rows, "b": rows[::-1], "c": other}.items()]  # fmt: skip
    assert digests[0] == digests[1] != digests[2]


def test_corpora_of_different_minor_versions_come_together() -> None:
    first, *_, last = sorted(KEPT.iterdir())
    folders = [first, last]
    found = pool([str(folder) for folder in folders])
    assert [source.name for source in found.sources] == [folder.name for folder in folders]
    assert len(found.runs) == sum(source.counted for source in found.sources)
    assert len({source.digest for source in found.sources}) == len(folders)


def test_what_is_no_sound_corpus_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path / "good", {"runs": list(reference())}).path
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=r"only sound corpora stand in a leaderboard:\n.*not a corpus; expected"):
        pool([str(folder), str(tmp_path / "empty")])
    with pytest.raises(CorpusError, match="nowhere: no such folder"):
        pool([str(folder), str(tmp_path / "nowhere")])
    (shard,) = (tmp_path / "good" / "runs").iterdir()
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(CorpusError, match="damaged"):
        pool([str(folder)])


def test_runs_that_nothing_can_be_compared_with_make_no_table(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no leaderboard of audit-v1: scores stand between"):
        _ = pool(["audit-v1"]).table
    twice = [played("IPPO", 1.0), played("IPPO", 2.0, run_id="other", view="full")]
    with pytest.raises(CorpusError, match=r"no leaderboard: IPPO in .* two runs, they differ in"):
        _ = pooled(tmp_path, twice=twice).table


def test_nothing_is_altered(tmp_path: Path) -> None:
    folder = written(tmp_path / "good", {"runs": list(reference())}).path
    before = load_corpus(folder).runs.arrow
    pool([str(folder), str(folder)])
    assert load_corpus(folder).runs.arrow.equals(before)


def test_other_trainings_of_one_name_are_left_out(tmp_path: Path) -> None:
    def among(hyperparameters: str, *told: int) -> list[Row]:
        trained = [played("IPPO", 20.0, seed=seed, hyperparameters=hyperparameters) for seed in told]
        for row in trained:
            key = {"seed": row["seed"], "players": [], "training": {"settings": json.loads(hyperparameters)}}
            row["identity"] = json.dumps(key, sort_keys=True)
            row["run_id"] = hashlib.sha256(row["identity"].encode()).hexdigest()
        met = [row for seed in told for row in met_strangers("IPPO", 8.0, seed=seed)][:: len(GAMES)]
        for row, training in zip(met, trained, strict=True):
            player = {"name": "IPPO", "trained_by": training["run_id"]}
            row["identity"] = json.dumps({"seed": row["seed"], "players": [player], "training": None}, sort_keys=True)
            row["run_id"] = hashlib.sha256(row["identity"].encode()).hexdigest()
        return [*trained, *met]

    first, second = SEEDS[:2], SEEDS[2:]
    alike = pooled(tmp_path / "alike", a=among("{}", *first), b=among("{}", *second))
    other = pooled(tmp_path / "other", a=among("{}", *first), b=among('{"gamma":0.5}', *second))
    assert [source.counted for source in alike.sources] == [2 * len(first), 2 * len(second)]
    assert [source.counted for source in other.sources] == [2 * len(first), 0]
