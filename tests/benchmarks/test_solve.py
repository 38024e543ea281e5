"""Solving games: tables, files, figures, and what is refused."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import json
import re
import xml.etree.ElementTree as ElementTree
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from coopgym.benchmarks.certificates import batch, certificates, record_store
from coopgym.benchmarks.certificates.files import Solved, read_solved
from coopgym.benchmarks.certificates.page import render_index
from coopgym.benchmarks.certificates.record_text import meeting, percent, settled, settled_and_paid, settling, standing
from coopgym.benchmarks.certificates.solution import Solution, solve
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.drawing import theme
from coopgym.benchmarks.drawing.game_panels import commitment_panel
from coopgym.benchmarks.progress import LineProgress
from coopgym.benchmarks.report.content.game_figures import game_figures
from coopgym.benchmarks.study.settings import parse_settings
from coopgym.games.registry import make_game
from coopgym.oracles.games.basins import Basins, Boundary, Rest
from tests.support.formal_certificates import CERTIFICATES

QUICK = {"max_steps": 8}
TWO = ("PartnerHoldUp-v1", "TrustDilemma-v1")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["solve", *arguments], env={"COLUMNS": "120"})


@pytest.fixture(scope="module")
def team() -> Solution:
    return solve("TeamProduction-v1", "mutuality=0.3", **QUICK)


@cache
def solved_short(game: str) -> Solution:
    """What a short game's solver says every time (tests/oracles/games/test_equilibrium.py)."""
    return solve(game, **QUICK)


@pytest.fixture
def two_games(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Only two short games exist; the list collects those that are solved."""
    calls: list[str] = []

    def solve_short(game: str) -> Solution:
        calls.append(game)
        return solved_short(game)

    def make_short(game: str) -> Any:
        return make_game(game, **QUICK)

    monkeypatch.setattr(certificates, "games", lambda edition=None: TWO)
    monkeypatch.setattr(certificates, "solve", solve_short)
    for module in (batch, certificates, record_store):
        monkeypatch.setattr(module, "make_game", make_short)
    return calls


def solve_all(folder: Path, *more: str) -> Result:
    result = call("--all", "-o", str(folder), "--workers", "0", *more)
    assert result.exit_code == 0, result.output
    return result


def test_a_game_is_solved_on_one_screen() -> None:
    result = call("TeamProduction-v1", "--set", "max_steps=8", "--reward", "mutuality=0.3")
    assert result.exit_code == 0, result.output
    certified = CERTIFICATES["TeamProduction-v1"]
    assert re.search(rf"private equilibrium +12 +{certified['W_nash']:.3f} .*unique, interior, stable", result.output)
    assert re.search(r"coopetitive equilibrium +23 ", result.output)
    assert re.search(r"coopetitive equilibrium +40 ", result.output), "at full trust"
    assert re.search(rf"optimum +83 +{certified['W_optimum']:.3f} ", result.output)
    assert "equilibrium, mutuality=0.3" in result.output
    for fact in ("price of anarchy 1.222", "gap closed 0.42 (full trust 0.76)", "greed 0.44 · fear 0.28"):
        assert fact in result.output
    assert re.search(r"integrated equilibrium +[\d.]+ +[\d.]+ +\S+ +stable, from everywhere", result.output)
    assert "basins are told by the share that all seats start from" in result.output
    assert "every search converged from all of its starts" in result.output
    assert "a dilemma by the standard of the formal edition" in result.output
    assert "figure and its record go into a folder with -o" in result.stderr


def test_what_keeps_a_game_from_being_a_dilemma_is_said() -> None:
    result = call("PartnerHoldUp-v0", "--set", "max_steps=8")
    assert result.exit_code == 0, result.output
    assert "not a dilemma by the standard of the formal edition:" in result.output
    assert "- the price of anarchy is below 1.15" in result.output


def test_an_equilibrium_of_a_grid_only_is_called_so() -> None:
    found = {"basin": 1.0, "interior": True, "stability": None, "symmetric_within_groups": True}
    assert standing({**found, "spacing": 1e-4}, unique=True) == "unique, interior"
    assert standing({**found, "spacing": 0.025}, unique=True) == "unique, interior, among shares 2.5 % apart"


def resting(stability: str | None, basin: list[float] | None, **more: Any) -> dict[str, Any]:
    return {"regret": 0.0, "stability": stability, "basin": basin, **more}


def test_basins_are_told_in_words() -> None:
    alike = {"symmetric_within_groups": True}
    basins = {
        "followed": "common shares",
        "equilibria": [
            resting("stable", [0.0, 0.209], at=[0.1238], profile=[0.1238] * 2, welfare=1.3594, **alike),
            resting("unstable", [0.209, 0.209], at=[0.209], profile=[0.209] * 2, welfare=1.446, **alike),
            resting(None, None, at=[0.3], profile=[0.3, 0.0015], welfare=1.4, symmetric_within_groups=False),
        ],
        "continua": [
            resting("stable", [0.209, 0.65], low=[0.5], high=[0.6], welfare=[1.5, 1.6], members=None, audited=12),
            resting("half-stable", [0.65, 1.0], low=[0.7], high=[0.8], welfare=[1.7, 1.8], members=40, audited=12),
        ],
        "boundaries": [
            {"share": 0.209, "precision": 1e-5, "answers": [0.209, 0.209], "equilibrium": True},
            {"share": 0.65, "precision": 1e-5, "answers": [0.6, 0.7], "equilibrium": False},
            {"share": 0.9, "precision": 0.02, "answers": None, "equilibrium": False},
        ],
        "unsettled": [0.95],
    }
    assert settled(basins) == "12.4 or 30.0/0.1 or 50.0 to 60.0 or 40 from 70.0 to 80.0"
    assert settled_and_paid(basins).startswith("12.4 (1.36) or 30.0/0.1 (1.40) or 50.0 to 60.0 (1.50 to 1.60)")
    assert meeting(basins) == "20.9; 65.0 (60 → 70); 90.0 ± 1.0"
    rows = {(name, places): standing for name, places, _, _, standing in settling("private", basins)}
    assert rows == {
        ("private equilibrium", "12.4"): "stable, from 0.0 to 20.9 %",
        ("private equilibrium", "20.9"): "unstable, basins meet here",
        ("private equilibrium", "30.0/0.1"): "off what was followed",
        ("private continuum", "50.0 to 60.0"): "stable, audited at 12 places, from 20.9 to 65.0 %",
        ("private equilibria", "40 from 70.0 to 80.0"): "half-stable, audited at 12 places, from 65.0 to 100.0 %",
        ("private basins meet", "65.0"): "the best response jumps from 60 to 70 %",
        ("private basins meet", "90.0"): "starts 2 % apart lead to different places",
        ("private, unsettled", "95.0"): "best responses jump down past it: no equilibrium",
    }


def test_parameters_change_the_answer(tmp_path: Path) -> None:
    out = ("-o", str(tmp_path))
    result = call("RenaultNissan-v1", "--set", "phase=crisis", "--set", "max_steps=8", *out)
    assert result.exit_code == 0, result.output
    (place,) = tmp_path.glob("RenaultNissan-v1-*.json")
    record = json.loads(place.read_text())
    assert percent(record["nash"]) == "12/11"
    assert record["poa"] == pytest.approx(1.119, abs=0.002)
    assert record["parameters"]["max_steps"] == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a game's id or --all, got neither"),
        (["TrustDilemma-v1", "--all"], "got both"),
        (["TrustDilema-v1"], "did you mean 'TrustDilemma-v1'?"),
        (["TrustDilemma-v1", "--set", "thet=6"], "did you mean 'theta'?"),
        (["TrustDilemma-v1", "--set", "theta"], "expected name=value"),
        (["TrustDilemma-v1", "--set", "theta=-1"], "theta=-1: expected finite values"),
        (["TrustDilemma-v1", "--reward", "privat"], "did you mean 'private'?"),
        (["TrustDilemma-v1", "--reward", "matrix=1,0,0;0,1,0;0,0,1"], "has 2 agents"),
        (["TrustDilemma-v1", "--fresh"], "--edition and --fresh belong to --all"),
        (["--all", "--set", "theta=6"], "--reward, --set and --world are for one game"),
        (["--all", "--edition", "fromal"], "expected formal or released"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: list[str], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_settings_are_toml_or_bare_words() -> None:
    texts = ["theta=6", "share=[0.6, 0.4]", "phase=crisis", "mechanism = false", 'x="a b"']
    assert parse_settings(texts) == {
        "theta": 6,
        "share": [0.6, 0.4],
        "phase": "crisis",
        "mechanism": False,
        "x": "a b",
    }
    for wrong in ("=6", "a b=1", "a=", "a=[1,", "a=1\nb = 2"):
        with pytest.raises(ValueError, match="--set"):
            parse_settings([wrong])
    with pytest.raises(ValueError, match="already set to 6"):
        parse_settings(["theta=6", "theta=7"])


@given(st.one_of(st.integers(-(10**6), 10**6), st.floats(allow_nan=False, allow_infinity=False), st.booleans()))
def test_numbers_come_through_settings_unchanged(value: float) -> None:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    assert parse_settings([f"x={text}"]) == {"x": value}


def test_files_come_back_as_written_and_only_for_the_same_question(team: Solution, tmp_path: Path) -> None:
    solved = Solved(team.record(), team.figure().svg())
    place = certificates.write_solved(tmp_path, solved)
    back = read_solved(tmp_path, team.game)
    assert back is not None
    assert back.record == json.loads(json.dumps(solved.record))
    assert back.svg == solved.svg
    assert read_solved(tmp_path, make_game("TeamProduction-v1")) is None, "other parameters"
    for damaged in ("not json", "[]", "{}", place.read_text().replace('"package_version": "', '"package_version": "9')):
        place.write_text(damaged)
        assert read_solved(tmp_path, team.game) is None
    certificates.write_solved(tmp_path, solved)
    place.with_suffix(".svg").write_text("<svg/>")
    assert read_solved(tmp_path, team.game) is None, "a figure of somebody else"


def test_a_figure_is_a_valid_file_that_repeats(team: Solution) -> None:
    drawn = team.figure()
    text = drawn.svg()
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    shown = "".join(root.itertext())
    for title in ("Reaction curves", "Cooperation and trust", "Schelling diagram", "One share for a whole episode"):
        assert title in shown
    assert "mutuality=0.3" in shown
    assert "var(--" not in text, "real colours, not those of a page"
    assert text == team.figure().svg()
    assert drawn.png().startswith(b"\x89PNG")


def test_the_figure_marks_where_basins_meet_and_what_is_a_continuum(team: Solution) -> None:
    profiles = np.repeat([[0.2], [0.4]], 4, axis=1)
    continuum = Rest(profiles, np.ones(2), np.ones(2), 0.0, None, "stable", (0.0, 0.6))
    boundary = Boundary(0.6, 1e-5, (0.4, 0.9), False)
    basins = Basins("common shares", 0.3, (continuum,), (boundary,), ())
    commitment = dataclasses.replace(team.certificate.commitment, basins={"private": basins})
    figure = commitment_panel(team.game, commitment).figure
    (axes,) = figure.axes
    spans = [np.asarray(line.get_xdata()) for line in axes.get_lines()]
    assert any(len(span) == 2 and span == pytest.approx(60.0) for span in spans), "the boundary stands upright"
    assert any((span.min(), span.max()) == pytest.approx((20.0, 40.0)) for span in spans), (
        "the continuum has its length"
    )
    assert {"basins meet", "many equilibria"} <= {text.get_text() for text in figure.legends[0].get_texts()}


def test_the_folder_of_all_games_is_complete_and_not_computed_twice(two_games: list[str], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "TrustDilemma-v1.json").write_text('{\n "record_version": 1,\n "packa')
    first = solve_all(tmp_path)
    assert "2 games solved, 0 already there" in first.output
    assert sorted(two_games) == sorted(TWO)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with (tmp_path / "summary.csv").open() as file:
        rows = {row["game"]: row for row in csv.DictReader(file)}
    assert list(rows) == list(TWO)
    assert float(rows["TrustDilemma-v1"]["poa"]) == pytest.approx(1.154, abs=0.002)
    assert rows["PartnerHoldUp-v1"]["nash"].split()[0].startswith("0.12")
    for mode in ("private", "integrated"):
        assert rows["TrustDilemma-v1"][f"commitment_{mode}"]
        assert f"commitment_{mode}_boundaries" in rows["TrustDilemma-v1"]
    page = (tmp_path / "index.html").read_bytes()

    assert "0 games solved, 2 already there" in solve_all(tmp_path).output
    assert len(two_games) == 2
    assert (tmp_path / "index.html").read_bytes() == page
    (tmp_path / "PartnerHoldUp-v1.svg").unlink()
    assert "1 games solved, 1 already there" in solve_all(tmp_path).output
    assert "2 games solved, 0 already there" in solve_all(tmp_path, "--fresh").output
    assert (tmp_path / "index.html").read_bytes() == page, "the same games give the same page"


def test_a_game_that_fails_does_not_take_the_others_along(
    two_games: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = certificates.solve

    def solve_but_one(game: str) -> Solution:
        if game == "TrustDilemma-v1":
            raise ValueError("no optimum <here>")
        return working(game)

    monkeypatch.setattr(certificates, "solve", solve_but_one)
    result = call("--all", "-o", str(tmp_path), "--workers", "0")
    assert result.exit_code == 1
    assert "TrustDilemma-v1 could not be solved: ValueError: no optimum <here>" in result.stderr
    assert "no optimum &lt;here&gt;" in (tmp_path / "index.html").read_text()
    assert not (tmp_path / "TrustDilemma-v1.json").exists()
    assert (tmp_path / "PartnerHoldUp-v1.json").exists()


@pytest.mark.slow
def test_worker_processes_solve_too(tmp_path: Path) -> None:
    progress = LineProgress(io.StringIO(), "games")
    outcome = batch.work_through(certificates.CERTIFICATES, ("PartnerHoldUp-v0",), tmp_path, 2, False, progress)
    assert (outcome.computed, outcome.faults) == (1, {})
    held = read_solved(tmp_path, make_game("PartnerHoldUp-v0"))
    assert held is not None
    assert held.record["nash_unique"]


def test_records_that_were_changed_are_not_believed(two_games: list[str], tmp_path: Path) -> None:
    solve_all(tmp_path)
    place = tmp_path / "TrustDilemma-v1.json"
    whole = place.read_text()
    for damaged in (whole.replace('"qualifies": true', '"qualifies": false'), whole.replace('"constant"', '"cnstant"')):
        assert damaged != whole
        place.write_text(damaged)
        assert "1 games solved, 1 already there" in solve_all(tmp_path).output
        assert place.read_text() == whole


def test_files_of_others_are_refused_before_any_work(two_games: list[str], tmp_path: Path) -> None:
    (tmp_path / "TrustDilemma-v1.json").write_text('{"mine": 1}')
    result = call("--all", "-o", str(tmp_path), "--workers", "0")
    assert result.exit_code == 2
    assert "another program's file" in result.stderr
    assert not two_games
    assert (tmp_path / "TrustDilemma-v1.json").read_text() == '{"mine": 1}'
    (tmp_path / "file").write_text("")
    result = call("TrustDilemma-v1", "-o", str(tmp_path / "file"))
    assert result.exit_code == 2
    assert "expected a folder" in result.stderr


def test_panels_of_a_file_keep_their_size(team: Solution) -> None:
    """Inside the figure, whose user units are points, a unit would make panels a third too large."""
    sizes = re.findall(r'<svg[^>]* (?:width|height)="([^"]*)"', team.figure().svg())
    assert sum(size.endswith("pt") for size in sizes) == 1, "only the outermost"
    assert len(sizes) > 4


def test_results_of_a_study_are_not_overwritten(two_games: list[str], tmp_path: Path) -> None:
    (tmp_path / "summary.csv").write_text("game,algorithm\n")
    result = call("--all", "-o", str(tmp_path), "--workers", "0")
    assert result.exit_code == 2
    assert "would be overwritten" in result.stderr
    assert not two_games


def test_the_page_needs_nothing_and_follows_the_theme(team: Solution) -> None:
    page = render_index([Solved(team.record(), team.figure().svg())], {})
    assert not re.search(r"https?:|@import|url\((?!#)", page)
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 4
    assert not re.search(r"(?:fill|stroke): #", "".join(drawings))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', page)) <= set(ids)
    assert "prefers-color-scheme: dark" in page
    assert "basins meet, integrated" in page
    assert "basins are told by the share that all seats start from" in page
    assert "1.222" in page


def test_colours_that_are_one_in_the_light_are_one_in_the_dark() -> None:
    css = Path(theme.__file__).with_name("page.css").read_text()
    light, dark = (dict(re.findall(r"--(\w+): (#\w+);", part)) for part in css.split("@media", 2)[:2])
    drawn = ["ink", "muted", "lines", "card", "other", *theme.MODE_COLOURS, *theme.KIND_COLOURS, *theme.HUES]
    for one, other in itertools.combinations(drawn, 2):
        assert light[one] != light[other] or dark[one] == dark[other]


def test_reports_portray_games_and_say_which_they_do_not_know() -> None:
    drawn, unknown = game_figures([("TrustDilemma-v1", '{"max_steps":8}'), ("Gone-v7", "{}")])
    assert [figure.label for figure in drawn.figures] == [
        f"{panel} of TrustDilemma-v1, max_steps = 8"
        for panel in ("Reaction curves", "Cooperation and trust", "Schelling diagram")
    ]
    assert not unknown.figures
    assert "unknown game 'Gone-v7'" in unknown.fault


def test_one_draw_of_a_common_world_is_solved() -> None:
    solved = call("TeamProduction-v1", "--world", "cost=1.4", "--world", "synergy=0.7", "--set", "max_steps=5")
    assert solved.exit_code == 0, solved.output
    assert solved.output == call("TeamProduction-v1", *settings(k=1.4, gamma=0.7 * 1.55, max_steps=5)).output
    for wrong in ("price=2", "cost='cheap'"):
        refused = call("TeamProduction-v1", "--world", wrong)
        assert refused.exit_code == 2
        assert "cost=FACTOR and synergy=FACTOR" in refused.stderr


def settings(**parameters: float) -> list[str]:
    return [part for name, value in parameters.items() for part in ("--set", f"{name}={value!r}")]
