"""Functional experiments: identities are tested as such, published numbers are met, pieces are kept."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from coopgym.benchmarks.case_studies.experiments import EXPERIMENTS
from coopgym.benchmarks.case_studies.sweep import Finding, run_experiment
from coopgym.benchmarks.cli.main import app


@cache
def findings(name: str) -> dict[str, Finding]:
    return {finding.metric: finding for finding in run_experiment(EXPERIMENTS[name], "full")}


@pytest.mark.parametrize(
    ("metric", "median", "mean", "deviation", "low", "high"),
    [
        ("negativity", 3.0, 3.47, 1.93, 1.0, 9.0),
        ("recovery", 0.83, 0.83, 0.11, 0.50, 1.03),
        ("many small violations", 1.97, 1.99, 0.31, 1.51, 2.50),
    ],
)
def test_trust_gives_the_numbers_printed_today(
    metric: str, median: float, mean: float, deviation: float, low: float, high: float
) -> None:
    found = findings("trust")[metric]
    assert (found.median, found.mean, found.deviation, found.low, found.high) == pytest.approx(
        (median, mean, deviation, low, high), abs=0.006
    )


def test_trust_is_built_at_the_printed_rate() -> None:
    assert findings("trust")["building"].median == pytest.approx(0.032, abs=5e-4)
    assert findings("trust")["amplification"].mean == pytest.approx(1.27, abs=5e-3)


def test_the_identities_of_trust_are_identities() -> None:
    trust = EXPERIMENTS["trust"]
    rng = np.random.default_rng(1)
    columns = {name: rng.uniform(0.05, 0.6, 7) for name in trust.grids["quick"]}
    measured = trust.measure(columns)
    np.testing.assert_allclose(measured["negativity"], columns["lambda_minus"] / columns["lambda_plus"])
    np.testing.assert_allclose(measured["amplification"], (1.0 + 0.8 * columns["xi"]) / (1.0 + 0.2 * columns["xi"]))
    kinds = {metric.name: metric.kind for metric in trust.metrics}
    assert {kinds["negativity"], kinds["amplification"]} == {"identity"}
    assert kinds["recovery"] == "simulation"


@pytest.mark.parametrize(
    ("name", "met", "ratio", "synergy"),
    [("team", 1.0, 4.48, 0.995), ("team-sum", 1.0, 15.04, 0.995), ("team-stated", 0.54, None, 0.48)],
)
def test_teams_meet_targets_where_the_grid_is_narrow(
    name: str, met: float, ratio: float | None, synergy: float
) -> None:
    found = findings(name)
    assert found["most over least loyal"].met == pytest.approx(met, abs=0.006)
    assert found["synergy"].met == pytest.approx(synergy, abs=0.006)
    assert ratio is None or found["most over least loyal"].median == pytest.approx(ratio, abs=0.006)


def test_free_riding_is_missed_only_at_the_floor() -> None:
    assert findings("team")["free riding"].met == pytest.approx(0.965, abs=1e-3)
    assert findings("team-stated")["free riding"].met == pytest.approx(0.61, abs=6e-3)


def test_laws_of_the_team_hold_everywhere() -> None:
    for name in ("team", "team-sum", "team-stated"):
        for metric in ("least step of loyalty", "change with a member more", "effort"):
            assert findings(name)[metric].met == 1.0


def test_the_logarithmic_form_leads_nearly_whatever_depends_on_whom() -> None:
    (lead,) = [each for each in run_experiment(EXPERIMENTS["interdependence"], "quick") if each.metric == "lead"]
    assert lead.met is not None
    assert 0.9 < lead.met <= 1.0


@pytest.mark.parametrize(
    ("name", "logarithmic", "power", "lead"),
    [
        ("dependence", (54, 58), (42, 49), 1.0),
        ("synergy", (42, 60), (46, 60), 0.6),
        ("dyads", (51, 58), (38, 49), 1.0),
        ("noise", (50, 60), (38, 46), 1.0),
    ],
)
def test_points_of_both_forms_lie_where_the_published_suite_prints_them(
    name: str, logarithmic: tuple[float, float], power: tuple[float, float], lead: float
) -> None:
    found = findings(name)
    assert (found["logarithmic"].low, found["logarithmic"].high) == logarithmic
    assert (found["power"].low, found["power"].high) == power
    assert found["lead"].met == lead


def test_noise_leaves_the_printed_means() -> None:
    found = findings("noise")
    assert (found["logarithmic"].mean, found["power"].mean) == pytest.approx((56.7, 45.4), abs=0.1)
    assert findings("small-noise")["lead"].deviation < found["lead"].deviation


def test_the_search_ends_where_it_ends_from_any_start() -> None:
    assert {finding.met for finding in findings("starts").values()} == {1.0}


def test_reciprocity_gives_the_numbers_printed_today() -> None:
    found = findings("reciprocity")
    assert found["forgiven"].mean == pytest.approx(0.879, abs=1e-3)
    assert found["cooperation"].met == pytest.approx(0.975, abs=1e-3)
    assert (found["asymmetry"].mean, found["asymmetry"].deviation) == pytest.approx((2.75, 0.80), abs=6e-3)
    assert found["shortfall"].met == 1.0


def test_the_identities_of_reciprocity_are_identities() -> None:
    reciprocity = EXPERIMENTS["reciprocity"]
    rng = np.random.default_rng(2)
    columns = {name: rng.uniform(0.3, 0.9, 6) for name in reciprocity.grids["quick"]}
    measured = reciprocity.measure(columns)
    np.testing.assert_allclose(measured["asymmetry"], 2.0 ** columns["eta"])
    assert (measured["greatest answer"] < 1.0).all()
    assert {metric.name for metric in reciprocity.metrics if metric.kind == "identity"} == {
        "asymmetry",
        "greatest answer",
    }


def test_company_is_lifted_as_printed() -> None:
    (two, three) = run_experiment(EXPERIMENTS["company"], "quick")
    assert (two.median, three.median) == pytest.approx((2.44, 2.62), abs=6e-3)


def test_without_reciprocity_nobody_is_lifted() -> None:
    company = EXPERIMENTS["company"]
    columns = {name: np.full(2, 0.5) for name in company.grids["quick"]} | {"rho_0": np.zeros(2)}
    for lifted in company.measure(columns).values():
        np.testing.assert_array_equal(lifted, 1.0)


def test_a_memory_of_one_action_differs_from_itself_in_nothing() -> None:
    memory = EXPERIMENTS["memory"]
    columns = {"rho_0": 1.0, "eta": 1.0, "kappa": 1.0, "lambda_R": 1.0, "trust": 0.6}
    measured = memory.measure(
        {**{name: np.full(2, value) for name, value in columns.items()}, "k": np.array([1.0, 10.0])}
    )
    assert measured["difference"][0] == 0.0 < measured["difference"][1]


def test_finished_pieces_are_found_again(tmp_path: Path) -> None:
    first = run_experiment(EXPERIMENTS["trust"], "quick", tmp_path)
    (piece,) = tmp_path.iterdir()
    kept = json.loads(piece.read_text("utf-8"))
    kept["recovery"] = [7.0] * len(kept["recovery"])
    piece.write_text(json.dumps(kept), "utf-8")
    again = {finding.metric: finding for finding in run_experiment(EXPERIMENTS["trust"], "quick", tmp_path)}
    assert again["recovery"].mean == 7.0
    assert again["building"] == next(finding for finding in first if finding.metric == "building")


def test_the_command_says_what_is_algebra() -> None:
    result = CliRunner().invoke(app, ["case", "experiment", "trust"], env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    assert "identity" in result.output
    refused = CliRunner().invoke(app, ["case", "experiment", "trusty"])
    assert refused.exit_code == 2
    assert "did you mean 'trust'" in refused.output
