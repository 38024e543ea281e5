"""Planning games: what is printed, kept and refused."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from coopgym.agents import make_agent
from coopgym.benchmarks.certificates import batch, plans, record_store
from coopgym.benchmarks.cli.main import app
from coopgym.games.registry import games, make_game
from coopgym.oracles.dynamic.planner import QUICK
from coopgym.play.episodes import play

pytest.importorskip("torch")
SHORT = {"max_steps": 6}
TWO = ("PublicGoods-v1", "SLCD-v0")
DOCUMENTED = Path(__file__).parents[2] / "docs" / "dynamic_optima.md"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["plan", *arguments], env={"COLUMNS": "120"})


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small search against two agents."""
    whole = plans.dynamic_optima

    def dynamic_optima(game: Any, rewards: Any) -> Any:
        return whole(game, rewards, QUICK, ("TitForTat", "Oracle_Nash"))

    monkeypatch.setattr(plans, "dynamic_optima", dynamic_optima)


def documented_rows() -> list[dict[str, str]]:
    table = DOCUMENTED.read_text().removeprefix(plans.plans_markdown(()))
    return [dict(zip(plans.HEADINGS, line.strip("| ").split(" | "), strict=True)) for line in table.splitlines()]


@functools.cache
def self_play(id: str, agent: str) -> dict[str, float]:
    game = make_game(id)
    returns = play(game, [make_agent(agent) for _ in range(game.n_agents)]).returns
    return {mode: float(seats.sum()) for mode, seats in returns.items()}


def test_the_documented_table_has_all_games_and_modes_and_no_plan_below_simpler_play() -> None:
    assert DOCUMENTED.read_text().startswith(plans.plans_markdown(()))
    rows = documented_rows()
    assert [(row["game"], row["reward"]) for row in rows] == [(game, mode) for game in games() for mode in plans.MODES]
    for cells in rows:
        for kind in ("constant", "heuristic", "oracle"):
            gain, name = cells[f"over best {kind}"].split(" % ")
            assert float(gain) >= 0.0, cells
            assert name.startswith("("), cells


@pytest.mark.parametrize("kind", ["best constant", "best heuristic"])
def test_the_documented_gains_are_those_over_what_agents_earn(kind: str) -> None:
    """Agents of registered names are played anew; games that draw were planned at their medians, which play is not."""
    for cells in documented_rows():
        gain, name = cells[f"over {kind}"].rstrip(")").split(" % (")
        if name.startswith("BestConstant") or make_game(cells["game"]).reset_uniforms:
            continue
        earned = self_play(cells["game"], name)[cells["reward"]]
        assert 100 * (float(cells["best plan"]) - earned) / abs(earned) == pytest.approx(float(gain), abs=2e-3), cells


@pytest.mark.slow
@pytest.mark.parametrize("game", games())
def test_the_documented_plans_are_what_is_computed(game: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the residual, which is how far rounding lets a search go."""
    monkeypatch.undo()  # of the small search
    computed = [row[:-1] for row in plans.plan_rows(plans.plan_game(game))]
    assert computed == [tuple(row.values())[:-1] for row in documented_rows() if row["game"] == game]


def test_one_game_is_planned_and_explained(tmp_path: Path) -> None:
    result = call("PublicGoods-v1", "--reward", "private", "--set", "max_steps=6", "-o", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "PublicGoods-v1, 6 steps" in result.output
    # Payoffs have no state: the optimum is the stage optimum, 1.607211 per seat and step, and the bound is tight.
    assert "best plan 48.2163" in result.output
    assert "over constant" in result.output
    assert "deters leaving the plan" in result.output
    (place,) = tmp_path.glob("PublicGoods-v1-*.plans.json")
    record = json.loads(place.read_text())
    plan = record["plans"]["private"]
    assert plan["value"] == pytest.approx(1.607211 * 5 * 6, abs=1e-4)
    assert plan["upper_bound"] == pytest.approx(plan["value"], rel=1e-6)
    assert plan["best_oracle"]["name"] == "Oracle_Nash[private]" or plan["best_oracle"]["name"] == "Oracle_Nash"
    assert all(plan[kind]["value"] <= plan["value"] + 1e-9 for kind in plans.BASELINES)


def test_all_games_are_planned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "games", lambda: TWO)
    for module in (plans, batch, record_store):
        monkeypatch.setattr(module, "make_game", lambda id: make_game(id, **SHORT))
    first = call("--all", "-o", str(tmp_path), "--workers", "0")
    assert "2 games planned, 0 already there" in first.output, first.output
    table = (tmp_path / "plans.md").read_text()
    assert table.startswith(plans.PLANS_BEGINNING)
    assert table.count("| PublicGoods-v1 |") == table.count("| SLCD-v0 |") == 3
    assert "none proved" in table
    place = tmp_path / "SLCD-v0.plans.json"
    place.write_text(place.read_text().replace('"value"', '"worth"', 1))
    assert "1 games planned, 1 already there" in call("--all", "-o", str(tmp_path), "--workers", "0").output
    assert (tmp_path / "plans.md").read_text() == table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "expected a game's id or --all, got neither"),
        (("SLCD-v1", "--all"), "expected a game's id or --all, got both"),
        (("--all", "--reward", "private"), "--reward and --set are for one game"),
        (("SLCD-v1", "--fresh"), "--fresh belongs to --all"),
        (("SLDC-v1",), "did you mean 'SLCD-v1'"),
        (("SLCD-v1", "--reward", "privat"), "did you mean 'private'"),
        (("SLCD-v1", "--set", "tehta=2"), "did you mean 'theta'"),
    ],
)
def test_mistakes_are_explained(arguments: tuple[str, ...], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_another_programs_table_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "plans.md").write_text("my holiday plans\n")
    result = call("--all", "-o", str(tmp_path), "--workers", "0")
    assert result.exit_code == 2
    assert "would be overwritten" in result.stderr
    assert (tmp_path / "plans.md").read_text() == "my holiday plans\n"
