"""The published study's records, in small files written exactly as it laid them out."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from coopgym.corpus import CorpusError, import_reference, validate
from coopgym.corpus.reference import importer
from coopgym.games.registry import make_game


def training(**changes: Any) -> dict[str, Any]:
    record = {
        "algorithm": "IPPO",
        "environment": "TrustDilemma",
        "training_seed": 99,
        "status": "success",
        "error_message": None,
        "training_time_seconds": 12.5,
        "evaluation_time_seconds": 0.5,
        "metrics": metrics(),
        "timestamp": "2026-01-02T03:04:05",
        "gpu_id": -1,
        "tr_mode": "TR-2",
    }
    return record | changes


def metrics(**changes: Any) -> dict[str, Any]:
    episode = {"seed": 99000, "return": 120.0, "final_trust": 0.5, "cooperation_rate": 40.0}
    return {
        "mean_return": 120.0,
        "std_return": 0.25,
        "mean_final_trust": 0.5,
        "std_final_trust": 0.0,
        "mean_cooperation_rate": 40.0,
        "std_cooperation_rate": 0.0,
        "mean_episode_length": 76.0,
        "episodes_evaluated": 2,
        "per_episode": [episode | {"steps": 100}, episode | {"steps": 52}],
        "tr_metrics": {"mean_peak_trust": 0.75, "phase": "late"},
        "training_returns": [1.0, math.nan, 3.0],
        "training_timesteps": [100, 200, 12_000],
        "training_metrics": {"value_loss": [[5000, 0.5], [10000, 0.25], [-1, 0.125]]},
    } | changes


def put(folder: Path, record: dict[str, Any], name: str = "IPPO_TrustDilemma_99.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(record))
    return folder / name


def rows_of(path: Path, table: str = "runs") -> list[dict[str, Any]]:
    return import_reference(path)[table].to_pylist()


def test_a_training_record_becomes_a_run(tmp_path: Path) -> None:
    put(tmp_path / "ablation_private", training())
    tables = import_reference(tmp_path)
    for name, table in tables.items():
        validate(name, table)
    (run,) = tables["runs"].to_pylist()
    spec = make_game("TrustDilemma-v0").spec
    expected = {
        "study": "ablation_private",
        "algorithm": "IPPO",
        "algorithm_kind": "learner",
        "environment": "TrustDilemma-v0",
        "edition": "released",
        "mechanism_class": spec.mechanism_class,
        "n_agents": 2,
        "horizon": spec.horizon,
        "reward_mode": "private",
        "seed": 99,
        "episodes": 2,
        "status": "completed",
        "device": "cpu",
        "started_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "wall_seconds_train": 12.5,
        "wall_seconds_eval": 0.5,
        "welfare": None,
        "return_private": 120.0,
        "return_integrated": None,
        "return_mode": 120.0,
        "mean_trust_final": 0.5,
        "episode_length": 76.0,
        "terminated_share": 0.5,
        "cooperation_rate": pytest.approx(40.0 / spec.endowments.mean()),
        "replica_group": "ablation_private/IPPO_TrustDilemma_99.json:1",
        "error": None,
    }
    assert {name: run[name] for name in expected} == expected
    measures = dict(run["class_metrics"])
    assert measures["cooperation_raw"] == 40.0
    assert measures["cooperation_rate_is_approximate"] == 1.0
    assert measures["mean_peak_trust"] == 0.75
    assert measures["std_return"] == 0.25
    assert "phase" not in measures


def test_training_becomes_curves(tmp_path: Path) -> None:
    put(tmp_path / "ablation_private", training())
    curves = {(row["metric"], row["step"]): row["value"] for row in rows_of(tmp_path, "curves")}
    assert curves == {
        ("training_return", 100): 1.0,
        ("training_return", 200): None,
        ("training_return", 12_000): 3.0,
        ("value_loss", 5_000): 0.5,
        ("value_loss", 10_000): 0.25,
        ("value_loss", 12_000): 0.125,
    }


def test_returns_without_steps_are_counted_by_episode(tmp_path: Path) -> None:
    put(tmp_path / "ablation_private", training(metrics=metrics(training_timesteps=[], training_metrics={})))
    steps = [(row["metric"], row["step"]) for row in rows_of(tmp_path, "curves")]
    assert steps == [("training_return_by_episode", episode) for episode in (1, 2, 3)]


@pytest.mark.parametrize(
    ("folder", "fields", "mode"),
    [
        ("baseline_integrated", {}, "integrated"),
        ("ablation_cooperative", {}, "cooperative"),
        ("france_bonus_isac_integrated", {}, "integrated"),
        ("case_study", {}, "integrated"),
        ("ablation_private/shards", {}, "private"),
        ("network_sensitivity", {"reward_type": "private", "net_arch": [64, 64], "net_arch_tag": "64"}, "private"),
    ],
)
def test_the_reward_mode_is_in_the_folder_or_the_record(tmp_path: Path, folder: str, fields: dict, mode: str) -> None:
    put(tmp_path / folder, training(**fields))
    (run,) = rows_of(tmp_path)
    assert run["reward_mode"] == mode
    assert run[f"return_{mode}"] == 120.0
    assert json.loads(run["hyperparameters"]) == {k: v for k, v in fields.items() if k.startswith("net_arch")}


def test_a_folder_without_a_mode_needs_one(tmp_path: Path) -> None:
    put(tmp_path / "local_bonus", training())
    with pytest.raises(CorpusError, match=r"IPPO_TrustDilemma_99\.json:1: no reward mode"):
        import_reference(tmp_path)
    assert import_reference(tmp_path, reward_mode="cooperative")["runs"].column("reward_mode").to_pylist() == [
        "cooperative"
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_none_make_a_diverged_run(tmp_path: Path, value: float) -> None:
    put(tmp_path / "ablation_private", training(metrics=metrics(mean_return=value)))
    (run,) = rows_of(tmp_path)
    assert (run["status"], run["return_mode"], run["return_private"]) == ("diverged", None, None)


def test_failed_runs_are_kept(tmp_path: Path) -> None:
    put(tmp_path / "ablation_private", training(status="failed", error_message="out of memory", metrics={}, gpu_id=1))
    (run,) = rows_of(tmp_path)
    assert (run["status"], run["error"], run["episodes"], run["device"]) == ("failed", "out of memory", 0, "cuda:1")
    assert run["class_metrics"] is None


def test_a_share_beyond_one_is_no_share(tmp_path: Path) -> None:
    put(tmp_path / "ablation_private", training(metrics=metrics(mean_cooperation_rate=1e4)))
    (run,) = rows_of(tmp_path)
    assert run["cooperation_rate"] is None
    assert dict(run["class_metrics"])["cooperation_raw"] == 1e4


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [
        ("Constant_050", "constant"),
        ("Oracle_Nash", "oracle"),
        ("TitForTat", "heuristic"),
        ("Random", "heuristic"),
        ("LOLA", "learner"),
    ],
)
def test_algorithms_have_a_kind(tmp_path: Path, algorithm: str, kind: str) -> None:
    put(tmp_path / "ablation_private", training(algorithm=algorithm))
    assert rows_of(tmp_path)[0]["algorithm_kind"] == kind


def test_json_lines_hold_many_records(tmp_path: Path) -> None:
    folder = tmp_path / "ablation_private"
    folder.mkdir()
    lines = [json.dumps(training(training_seed=seed)) for seed in (99, 100)]
    (folder / "shard.jsonl").write_text(f"{lines[0]}\n\n{lines[1]}\n")
    rows = rows_of(tmp_path)
    assert [(row["seed"], row["replica_group"].rpartition(":")[2]) for row in rows] == [(99, "1"), (100, "3")]
    assert rows_of(folder / "shard.jsonl")[0]["reward_mode"] == "private"


def test_runs_have_distinct_and_lasting_ids(tmp_path: Path) -> None:
    for folder in ("baseline_integrated", "case_study"):
        for seed in (99, 100):
            put(tmp_path / folder, training(training_seed=seed), f"IPPO_TrustDilemma_{seed}.json")
    first, again = ([row["run_id"] for row in rows_of(tmp_path)] for _ in range(2))
    assert first == again
    assert len(set(first)) == 4


def test_every_broken_record_is_reported_with_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "ablation_private"
    folder.mkdir()
    good = training()
    lines = [
        good,
        training(environment="TrustDilema", training_seed=1),
        training(status="finished", training_seed=2),
        {name: value for name, value in training(training_seed=3).items() if name != "timestamp"},
        training(timestamp="yesterday", training_seed=4),
        training(training_seed="many"),
        {"something": "else"},
        [1, 2],
        good,
    ]
    text = "\n".join(map(json.dumps, lines)) + '\n{"algorithm": "IP'
    (folder / "shard.jsonl").write_text(text)
    with pytest.raises(CorpusError) as caught:
        import_reference(tmp_path)
    message = str(caught.value)
    for line, part in {
        2: "did you mean 'TrustDilemma-v0'",
        3: "status: found 'finished', expected one of success, failed",
        4: "the field 'timestamp' is missing",
        5: "timestamp 'yesterday'; expected ISO 8601",
        6: "training_seed: found 'many', expected a whole number",
        7: "neither a training nor an audit record; its fields: something",
        8: "a JSON list; expected an object",
        9: f"the same run as in {folder / 'shard.jsonl'}:1",
        10: "not valid JSON",
    }.items():
        (fault,) = [each for each in message.splitlines() if each.startswith(f"{folder / 'shard.jsonl'}:{line}: ")]
        assert part in fault
    assert "nothing was imported" in message


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda path: None, "no such file or folder"),
        (lambda path: path.mkdir(), "no records; expected training or audit"),
    ],
)
def test_places_without_records_are_explained(tmp_path: Path, prepare: Any, message: str) -> None:
    prepare(tmp_path / "records")
    with pytest.raises(CorpusError, match=message):
        import_reference(tmp_path / "records")


def test_single_records_are_put_together_and_shards_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "BATCH", 2)
    for seed in range(3):
        put(tmp_path / "ablation_private", training(training_seed=seed), f"{seed}.json")
    for seed in (3, 4):
        put(tmp_path / "ablation_cooperative", training(training_seed=seed), f"{seed}.jsonl")
    sizes = [len(tables["runs"]) for tables in importer.import_shards(tmp_path)]
    assert sorted(sizes) == [1, 1, 1, 2]


SEATS = 4
ENDOWMENT = float(make_game("TeamProduction-v0").spec.endowments[0])


def surface_audit(**changes: Any) -> dict[str, Any]:
    levels = {
        f"{level:.2f}": {
            "coop_fraction": level,
            "coop_action": level * ENDOWMENT,
            "per_agent_mean": [10.0 * level + seat for seat in range(SEATS)],
            "per_agent_std": [0.0] * SEATS,
            "mean_return": 10.0 * level + 1.5,
            "std_return": 1.0,
            "n_episodes": 5,
        }
        for level in (0.0, 0.5, 1.0)
    }
    deviation = {
        "base_agent0_return": 8.0,
        "deviate_agent0_return": 9.0,
        "agent0_gain": 1.0,
        "base_others_mean": 8.0,
        "deviate_others_mean": 7.0,
        "others_loss": -1.0,
        "exploitative": True,
    }
    return {
        "algorithm": "MAPPO",
        "environment": "TeamProduction",
        "seed": 99,
        "n_agents": SEATS,
        "endowment": ENDOWMENT,
        "response_surface": levels,
        "optimal_coop_level": 1.0,
        "optimal_mean_return": 11.5,
        "deviations": [deviation | {"coop_level": level} for level in (0.2, 0.4)],
        "n_exploitative": 2,
    } | changes


def test_a_surface_audit_becomes_surface_and_deviations(tmp_path: Path) -> None:
    put(tmp_path / "static", surface_audit(), "MAPPO_TeamProduction_99_audit.json")
    tables = import_reference(tmp_path)
    for name, table in tables.items():
        validate(name, table)
    (run,) = tables["runs"].to_pylist()
    assert (run["protocol"], run["algorithm_kind"], run["algorithm"]) == ("reference_surface", "label", "MAPPO")
    assert (run["reward_mode"], run["episodes"], run["seed"]) == ("integrated", 5, 99)
    surface = tables["audit_surface"].to_pylist()
    assert len(surface) == 3 * SEATS
    assert surface[5] == {
        "run_id": run["run_id"],
        "level": 0.5,
        "seat": 1,
        "action": 0.5 * ENDOWMENT,
        "episode_return": 6.0,
        "return_std": 0.0,
        "payoff": None,
        "mean_trust_final": None,
        "episode_length": None,
    }
    first, _ = tables["audit_unilateral"].to_pylist()
    assert {name: first[name] for name in ("seat", "gain", "others_change", "partner")} == {
        "seat": 0,
        "gain": 1.0,
        "others_change": -1.0,
        "partner": None,
    }
    assert (first["base_level"], first["level"]) == (pytest.approx(0.2), pytest.approx(0.1))


def temporal_audit(seats: int) -> dict[str, Any]:
    length = 10
    sides = {
        "agent0_return": 11.0,
        "agent0_gain_vs_baseline": 1.0,
        "others_mean_return": 9.0,
        "others_loss_vs_baseline": -1.0,
        "exploitative": True,
    }
    return {
        "environment": "TrustDilemma" if seats == 2 else "TeamProduction",
        "seed": 100,
        "n_agents": seats,
        "endowment": 100.0,
        "episode_length": length,
        "coop_action": 50.0,
        "defect_action": 0.0,
        "baseline": {"mean_return": 10.0, "per_agent_mean": [10.0] * seats},
        "full_defection": {
            "mean_return": 5.0,
            "per_agent_mean": [6.0] + [4.0] * (seats - 1),
            "agent0_gain": -4.0,
            "exploitative": False,
        },
        "late_defection": [
            {"switchpoint": s, "switchpoint_fraction": s / length, "defection_steps": length - s, "mean_return": 9.5}
            | sides
            for s in (5, 9)
        ],
        "early_defection": [{"defect_until_step": 2, "defect_fraction": 0.2} | sides],
        "gradual_defection": {
            "ramp_start_step": 8,
            "ramp_start_fraction": 0.8,
            "mean_return": 8.0,
            "per_agent_mean": [9.0] + [7.0] * (seats - 1),
            "agent0_gain": -1.0,
            "exploitative": False,
        },
        "profile": {"exploitation_onset_fraction": 0.5, "vulnerability_class": "broadly_vulnerable"},
    }


@pytest.mark.parametrize("seats", [2, 4])
def test_a_temporal_audit_becomes_deviations(tmp_path: Path, seats: int) -> None:
    put(tmp_path / "temporal", temporal_audit(seats), "game_100_temporal.json")
    tables = import_reference(tmp_path)
    for name, table in tables.items():
        validate(name, table)
    assert tables["runs"].column("protocol").to_pylist() == ["reference_temporal"]
    rows = tables["audit_temporal"].to_pylist()
    spans = [(row["strategy"], row["first_step"], row["last_step"], row["fraction"]) for row in rows]
    assert spans == [
        ("baseline", None, None, None),
        ("full", 0, 9, 0.0),
        ("late", 5, 9, 0.5),
        ("late", 9, 9, 0.9),
        ("early", 0, 1, 0.2),
        ("ramp", 8, 9, 0.8),
    ]
    assert [row["gain"] for row in rows] == [0.0, -4.0, 1.0, 1.0, 1.0, -1.0]
    assert [row["others_change"] for row in rows] == [0.0, -6.0, -1.0, -1.0, -1.0, -3.0]
    assert [row["exploitative"] for row in rows] == [False, False, True, True, True, False]
    assert [row["level"] for row in rows] == [0.5, 0.0, 0.0, 0.0, 0.0, 0.25]
    late = rows[2]
    assert late["mean_return"] == pytest.approx((11.0 + 9.0 * (seats - 1)) / seats)
    assert late["seat_returns"] == ([11.0, 9.0] if seats == 2 else None)


def test_an_audit_without_its_baseline_is_reported(tmp_path: Path) -> None:
    record = temporal_audit(2)
    del record["baseline"]
    put(tmp_path, record)
    with pytest.raises(CorpusError, match="temporal audit: a field does not fit: 0 baselines and 1 full defections"):
        import_reference(tmp_path)


def without(record: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != name}


DEVIATION = surface_audit()["deviations"][0]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (training(metrics=metrics(mean_return="120.0")), "metrics.mean_return: found '120.0', expected a number"),
        (training(metrics=metrics(mean_return=True)), "metrics.mean_return: found True, expected a number"),
        (training(metrics=without(metrics(), "mean_return")), "the field 'metrics.mean_return' is missing"),
        (training(metrics=metrics(critic_loss="0.5")), "metrics.critic_loss: found '0.5', expected a number, not one"),
        (training(metrics=metrics(tr_metrics={"peak": "NaN"})), "metrics.tr_metrics.peak: found 'NaN'"),
        (training(metrics=metrics(training_returns=[1.0, "2"])), r"metrics.training_returns\[1\]: found '2'"),
        (training(metrics=metrics(training_timesteps=[1.5])), r"metrics.training_timesteps\[0\]: found 1.5, expected"),
        (
            training(metrics=metrics(training_metrics={"loss": [[1, 2, 3]]})),
            r"metrics.training_metrics.loss\[0\]: found \[1, 2, 3\], expected a list of 2",
        ),
        (
            training(metrics=metrics(per_episode=[{"seed": 1}])),
            r"the field 'metrics.per_episode\[0\].steps' is missing",
        ),
        (training(metrics=metrics(episodes_evaluated=True)), "metrics.episodes_evaluated: found True"),
        (training(metrics=None), "metrics: found None, expected an object"),
        (training(training_seed=1.7), "training_seed: found 1.7, expected a whole number of at least 0"),
        (training(training_seed=True), "training_seed: found True, expected a whole number"),
        (training(training_seed=-1), "training_seed: found -1"),
        (training(training_seed=2**63), "training_seed: found 9223372036854775808"),
        (training(algorithm=["IPPO"]), "algorithm: found .*, expected a text"),
        (training(environment=None), "environment: found None"),
        (training(gpu_id="0"), "gpu_id: found '0'"),
        (training(reward_type="selfish"), "reward_type: found 'selfish', expected one of private"),
        (training(training_time_seconds=math.nan), "training_time_seconds: found nan, expected a finite number"),
        (training(error_message=7), "error_message: found 7, expected a text"),
        (surface_audit(seed=True), "seed: found True"),
        (surface_audit(seed="99"), "seed: found '99'"),
        (
            surface_audit(deviations=[DEVIATION | {"coop_level": 2.0}]),
            r"deviations\[0\].coop_level: found 2.0, expected .* in \[0",
        ),
        (surface_audit(deviations=[{"coop_level": 0.2}]), r"the field 'deviations\[0\].agent0_gain' is missing"),
        (
            surface_audit(
                response_surface={"a": surface_audit()["response_surface"]["0.50"] | {"per_agent_mean": [1.0]}}
            ),
            r"response_surface.a.per_agent_mean: found \[1.0\], expected a list of 4",
        ),
        (temporal_audit(2) | {"episode_length": 10.5}, "episode_length: found 10.5"),
        (without(temporal_audit(2), "episode_length"), "the field 'episode_length' is missing"),
        (
            temporal_audit(2) | {"baseline": {"per_agent_mean": [10.0]}},
            r"baseline.per_agent_mean: found \[10.0\], expected a list of 2",
        ),
        (
            temporal_audit(2) | {"full_defection": without(temporal_audit(2)["full_defection"], "exploitative")},
            "the field 'full_defection.exploitative' is missing",
        ),
        (
            temporal_audit(2) | {"gradual_defection": {"ramp_start_step": 8, "per_agent_mean": [9.0, 7.0]}},
            "the field 'gradual_defection.ramp_start_fraction' is missing",
        ),
        (
            temporal_audit(2) | {"late_defection": [temporal_audit(2)["late_defection"][0] | {"exploitative": 1}]},
            r"late_defection\[0\].exploitative: found 1, expected true or false",
        ),
    ],
)
def test_fields_are_what_the_standard_says(tmp_path: Path, record: dict[str, Any], message: str) -> None:
    file = put(tmp_path / "ablation_private", record)
    with pytest.raises(CorpusError, match=f"{file}:1: .*{message}"):
        import_reference(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"algorithm": "IPPO", "algorithm": "ISAC"}', "the key 'algorithm' is there more than once"),
        (b'{"algorithm": "IPP\xd6"}', "byte 18 is not UTF-8"),
        ("\ufeff{}".encode(), "begins with a byte order mark"),
        (json.dumps({"algorithm": "x"}).encode("utf-16"), "is not UTF-8"),
        (b'{"algorithm": "half \\ud800"}', "holds half a character"),
        (b'{"training_seed": ' + b"9" * 10_000 + b"}", "the number 999999999999… has 10000 characters"),
        (b'{"training_seed": 1e999}', "the number 1e999 is beyond double precision"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' * 40 + b"1" + b"}" * 40, "nested too deeply"),
        (b'{"training_seed": 1,}', "not valid JSON"),
        (b"", "not valid JSON"),
    ],
)
def test_json_is_read_strictly(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "ablation_private" / "record.json"
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(CorpusError, match=f"{file}:1: .*{message}"):
        import_reference(tmp_path)


def test_records_have_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "LARGEST_RECORD", 100)
    put(tmp_path / "ablation_private", training())
    put(tmp_path / "ablation_private", training(), "shard.jsonl")
    with pytest.raises(CorpusError) as caught:
        import_reference(tmp_path)
    assert str(caught.value).count("has more than 100 bytes; expected a single record") == 2


def test_records_are_regular_files_of_the_folder(tmp_path: Path) -> None:
    outside = put(tmp_path / "elsewhere", training())
    (tmp_path / "ablation_private").mkdir()
    (tmp_path / "ablation_private" / "link.json").symlink_to(outside)
    (tmp_path / "ablation_private" / "zero.jsonl").symlink_to("/dev/zero")
    with pytest.raises(CorpusError) as caught:
        import_reference(tmp_path / "ablation_private")
    assert str(caught.value).count("is a link that leads out of its folder") == 2
