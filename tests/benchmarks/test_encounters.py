"""Agents among partners by name: what they earn and who is missing, matches that a corpus keeps, tables and pages."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from coopgym.agents.heuristics import TitForTat
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.corpora.verification import verify
from coopgym.benchmarks.execute.executors import InProcess
from coopgym.benchmarks.execute.job_runner import JobResult
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.execute.store import OtherStudyError
from coopgym.benchmarks.study import Job, Study, expand
from coopgym.benchmarks.study.study import Block
from coopgym.benchmarks.tournament import (
    Encounters,
    FailedMatchesError,
    encounters,
    kept,
    print_encounters,
    tournament,
)
from coopgym.corpus import load_corpus
from coopgym.strangers import population
from tests.support.quiet import Silence

GAME = "TrustDilemma-v1"
SHORT = {"max_steps": 8}
NOISY = "strangers:test/noisy-tit-for-tat"
SOME = ["strangers:test/grim-0.6", "strangers:test/constant-0.9", NOISY, "strangers:test/constant-0.35"]


def met(agents: Any = ("TitForTat", "Constant_20"), against: list[str] = SOME, **options: Any) -> Encounters:
    return encounters(GAME, agents, against, parameters=SHORT, **options)


BROKEN = """
import numpy as np

class Raises:
    def begin(self, *_):
        self.left = 3

    def act(self, observation):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("out of ideas")
        return np.full(len(observation), 0.5)
"""
RAISES = "gives_up_after_three_steps:Raises"


@pytest.fixture
def raising(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a user's agent in a folder of its own: of a test, everything that it imports would be hashed."""
    folder = tmp_path_factory.mktemp("agents")
    (folder / f"{RAISES.partition(':')[0]}.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(folder)


def called(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


# What is measured


def test_a_match_with_a_partner_is_that_of_a_tournament() -> None:
    names = ["TitForTat", "GrimTrigger", "Random"]
    among, other = met(names, names, episodes=2), tournament(GAME, names, episodes=2, parameters=SHORT)
    assert among.names == among.among == other.names
    for measure, values in other.measures.items():
        assert (among.measures[measure] == values).all(), measure


def test_a_whole_population_is_met_kind_by_kind() -> None:
    found, everybody = met(["TitForTat"], ["strangers:test"], seeds=[0]), population(GAME, "test").partners
    assert sorted(found.among) == sorted(partner.name for partner in everybody)
    kinds = [partner.kind for partner in found.partners]
    assert [kind for k, kind in enumerate(kinds) if kind not in kinds[:k]] == list(found.kinds)
    assert kinds == sorted(kinds, key=found.kinds.index), "partners of a kind stand together"
    assert found.partners[found.among.index("grim-0.6")].agent == "strangers:test/grim-0.6"


def test_kinds_are_means_over_their_partners() -> None:
    found = met()
    assert found.among == ("constant-0.9", "constant-0.35", "grim-0.6", "noisy-tit-for-tat")
    assert found.kinds == ("constant", "reciprocal", "noisy")
    returns = found.mean("focal_return")
    assert found.by_kind("focal_return")[:, 0] == pytest.approx(returns[:, :2].mean(1))
    assert found.by_kind("focal_return")[:, 1:] == pytest.approx(returns[:, 2:])
    assert {row["background"]: row["kind"] for row in found.rows()}["grim-0.6"] == "reciprocal"


def test_partners_that_share_a_name_are_called_by_their_addresses() -> None:
    both = [f"strangers:{population}/turns-bad" for population in ("test", "training")]
    assert list(met(["TitForTat"], both, seeds=[0]).among) == both


def test_who_is_not_trained_is_missing_and_nobody_to_meet_is_refused() -> None:
    untrained = population("ApacheProject-v1", "test").untrained
    if untrained:
        addresses = [f"strangers:test/{name}" for name in untrained]
        with pytest.raises(ValueError, match=f"nobody to meet; {untrained[0]}.* not trained"):
            encounters("ApacheProject-v1", ["TitForTat"], addresses, seeds=[0])
    with pytest.raises(ValueError, match="nobody to meet"):
        met(against=[])


# Matches that a corpus keeps


def test_kept_matches_are_the_same_and_make_a_sound_corpus(tmp_path: Path) -> None:
    free, stored = met(["TitForTat", "Random"], episodes=2), met(["TitForTat", "Random"], episodes=2, runs=tmp_path)
    for measure, values in free.measures.items():
        np.testing.assert_allclose(stored.measures[measure], values, rtol=1e-12, err_msg=measure)
    checked = verify(str(tmp_path))
    assert (checked.faults, checked.notes) == ([], [])
    rows = load_corpus(tmp_path).runs.to_pylist()
    assert {row["scenario"] for row in rows} == {f"among:{address}" for address in SOME}
    assert {(row["protocol"], row["study"], row["status"]) for row in rows} == {("scenario", "tournament", "completed")}
    # One run of what chance has no part in, as in studies; three seeds of everything else.
    assert len(rows) == 3 * 1 + 3 + 3 * 4


def test_what_is_kept_is_not_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["TitForTat", "Random"]
    first = tournament(GAME, names, parameters=SHORT, runs=tmp_path)
    played: list[str] = []
    compute = kept.compute

    def watched(job: Job, study: str) -> JobResult:
        played.extend(spec.path for spec in job.specs)
        return compute(job, study)

    monkeypatch.setattr(kept, "compute", watched)
    again = tournament(GAME, names, parameters=SHORT, runs=tmp_path)
    assert played == []
    assert (again.payoffs == first.payoffs).all()
    more = tournament(GAME, [*names, "Constant_20"], parameters=SHORT, runs=tmp_path, seeds=[0])
    assert sorted(played) == sorted(
        f"{GAME}/{focal}/private/0{role}"
        for focal, role in [
            ("Constant_20", ""),
            *(("Constant_20", f"/among:{name}") for name in names),
            *((name, "/among:Constant_20") for name in names),
        ]
    )
    assert more.measures["focal_return"][0, :2, :2] == pytest.approx(first.measures["focal_return"][0])


def test_other_episodes_take_the_place_of_those_that_were_kept(tmp_path: Path) -> None:
    for episodes in (1, 3):
        met(["Random"], [NOISY], seeds=[0], episodes=episodes, runs=tmp_path)
    (row,) = load_corpus(tmp_path).runs.to_pylist()
    assert row["episodes"] == 3


@pytest.mark.usefixtures("raising")
def test_an_agent_that_raises_is_named_and_the_other_matches_are_kept(tmp_path: Path) -> None:
    with pytest.raises(FailedMatchesError, match=r"Raises in TrustDilemma-v1, among:TitForTat: .*out of ideas") as told:
        tournament(GAME, ["TitForTat", RAISES], parameters=SHORT, runs=tmp_path)
    assert len(str(told.value).splitlines()) == 3, "one line for all seeds"
    statuses = {(row["algorithm"], row["status"]) for row in load_corpus(tmp_path).runs.to_pylist()}
    assert statuses == {("TitForTat", "completed"), ("TitForTat", "failed"), (RAISES, "failed")}


def test_only_agents_with_names_are_kept_and_only_beside_their_like(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="agents with names can be kept"):
        met({"mine": TitForTat}, runs=tmp_path)
    block = {"games": [GAME], "parameters": SHORT, "agents": ["Constant_20"]}
    study = Study(name="mine", rewards=["private"], exploitability=False, blocks=[Block.model_validate(block)])
    run_study(study, expand(study), tmp_path / "study", InProcess(), Silence())
    with pytest.raises(OtherStudyError, match=r"holds runs of the study 'mine'.* --runs "):
        met(runs=tmp_path / "study")


# Tables and pages


def test_tables_show_both_sides_and_the_means_of_kinds() -> None:
    console = Console(width=120, file=io.StringIO(), record=True)
    found = met(["TitForTat", "Constant_20", "Constant_40", "Constant_60"])
    print_encounters(console, found)
    lines = console.export_text().splitlines()
    assert sum("constant-0.35" in line for line in lines) == 2, "three agents a table"
    own, partner = (found.mean(f"{side}_return") for side in ("focal", "background"))
    cells = next(line for line in lines if "grim-0.6" in line).split()
    assert cells[:4] == ["reciprocal", "grim-0.6", f"{own[0, 2]:.2f}", f"{partner[0, 2]:.2f}"]
    assert any(line.split()[:3] == ["constant", "2", "partners"] for line in lines)


def test_the_command_writes_a_page_and_its_numbers(tmp_path: Path) -> None:
    page, runs = tmp_path / "page.html", tmp_path / "runs"
    arguments = ["tournament", GAME, "--agent", "TitForTat", "--agent", "Random", "--seeds", "1"]
    against = [f"--against={name}" for name in SOME]
    result = called(*arguments, *against, "-o", str(page), "--runs", str(runs))
    assert result.exit_code == 0, result.output
    text, numbers = page.read_text(), list(csv.DictReader(page.with_suffix(".csv").read_text().splitlines()))
    assert 'colspan="2" scope="colgroup">constant</th>' in text
    assert all(f"<span>{name.rpartition('/')[2]}</span>" in text for name in SOME)
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org", ""), "it needs nothing else"
    returns = encounters(GAME, ["TitForTat", "Random"], SOME, seeds=[0]).mean("focal_return")
    told = [float(row["focal_return"]) for row in numbers]
    assert told == pytest.approx(returns.ravel().tolist(), rel=1e-12)
    rows = load_corpus(runs).runs.to_pylist()
    assert len(rows) == returns.size


def test_the_page_of_a_league_shows_every_game_and_how_all_are_rated(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    games = ["TrustDilemma-v1", "SLCD-v1"]
    result = called("tournament", *games, "--agent", "TitForTat", "--agent", "Constant_20", "--out", str(page))
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert all(f'<section id="{part}"' in text for part in ("league", *games))
    assert text.count("α-rank") == 3
    assert len(page.with_suffix(".csv").read_text().splitlines()) == 1 + 2 * 3 * 4


@pytest.mark.usefixtures("raising")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--against", "strangers:tset"], 2, "expected strangers:training or strangers:test"),
        (["--against", "GrimTriger"], 2, "did you mean 'GrimTrigger'"),
        (["--agent", RAISES, "--against", "strangers:test/grim-0.6"], 1, "RuntimeError: out of ideas"),
        (["-o", "numbers.csv"], 2, "expected the name of an HTML file"),
        (["-o", "."], 2, "a file is needed there"),
    ],
)
def test_mistakes_are_told_before_anything_is_played(arguments: list[str], code: int, message: str) -> None:
    result = called("tournament", GAME, *arguments)
    assert result.exit_code == code
    assert message in result.output


def test_games_without_populations_say_so() -> None:
    result = called("tournament", "TrustDilemma-v0", "--agent", "TitForTat", "--against", "strangers:test")
    assert result.exit_code == 2
    assert "strangers are met in the games of the formal edition" in result.output


@pytest.mark.usefixtures("raising")
def test_matches_that_fail_end_the_command(tmp_path: Path) -> None:
    result = called("tournament", GAME, "--agent", RAISES, "--against", SOME[0], "--runs", str(tmp_path))
    assert result.exit_code == 1
    assert f"coopgym: {RAISES} in {GAME}, among:{SOME[0]}: RuntimeError: out of ideas" in result.output
