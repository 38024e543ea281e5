"""Scores among strangers: between the best single number and a best response to everybody."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from coopgym.agents import Seat, make_agent
from coopgym.agents.heuristics import Constant
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.execute import strangers_build as building
from coopgym.benchmarks.execute.strangers_build import BuildRequest
from coopgym.benchmarks.score.strangers import best_level, normalised_returns, strangers_scores
from coopgym.benchmarks.strangers import MissingAnchorsError, anchored, strangers_score
from coopgym.benchmarks.strangers.anchors import response, scenario_digest, valuation
from coopgym.games.registry import games
from coopgym.oracles.dynamic.deviation_search import CONSTANTS
from coopgym.strangers import (
    EPISODES,
    SEED,
    Anchor,
    StrangersScenario,
    population,
    read_anchors,
    scenarios,
)
from coopgym.strangers.anchors import write_anchors
from coopgym.strangers.partners import PARTNERS_FILE
from coopgym.typing import FloatArray
from tests.house import ROOT
from tests.support.quiet import Silence

FOLDER = ROOT / "data" / "strangers-v1"
GAME = "TrustDilemma-v1"
BUILT = [id for id in games("formal") if read_anchors(population(id))]
SHORT = {"max_steps": 6}


def scenario(game: str, background: tuple[str, ...], focal: tuple[int, ...] = (0,)) -> StrangersScenario:
    return StrangersScenario("met", game, focal, background, "private", parameters=SHORT)


def test_the_best_constant_scores_nothing_no_constant_more_and_a_best_response_everything() -> None:
    rng = np.random.default_rng(0)
    random, ceilings = rng.random(9), 2.0 + rng.random(9)
    levels = normalised_returns(random + rng.random((101, 9)), random, ceilings)
    floor = levels[best_level(levels)]
    scores = strangers_scores(levels, floor)
    assert scores.max() == 0.0
    assert strangers_scores(floor, floor) == 0.0
    assert strangers_scores(normalised_returns(ceilings, random, ceilings), floor) == 1.0
    assert strangers_scores(normalised_returns(random, random, ceilings), floor) < 0.0


def test_nothing_is_told_where_a_number_is_a_best_response_to_everybody() -> None:
    assert np.isnan(strangers_scores(np.array([0.5, 1.0]), floor=np.array([1.0, 1.0])))


def test_a_ceiling_below_random_is_refused() -> None:
    with pytest.raises(ValueError, match="scenario 1: its ceiling is not above"):
        normalised_returns(np.zeros(2), random=np.array([0.0, 2.0]), ceilings=np.array([1.0, 1.0]))


@pytest.mark.parametrize(
    ("game", "background", "focal"),
    [
        (GAME, "Noisy(agent=TitForTat, noise=0.1)", (0,)),
        ("SynergySearch-v1", "GrimTrigger", (1,)),
        ("TeamProduction-v1", "Noisy(agent=Gradual, noise=0.2)", (0, 2)),
        ("PlatformEcosystem-v1", "Forgiver", (1, 3)),
    ],
)
def test_responses_are_valued_on_the_draws_that_agents_meet(game: str, background: str, focal: tuple[int, ...]) -> None:
    met = scenario(game, (background,), focal)
    free = valuation(met, EPISODES)
    valued = free.values(free.plans(np.array([[0.2], [0.7]])))
    played = [
        np.mean(
            [row["focal_return"] for row in met.run([make_agent(f"Constant_{level}") for _ in focal], EPISODES, SEED)]
        )
        for level in (20, 70)
    ]
    np.testing.assert_allclose(valued, played, rtol=1e-12)


def test_an_anchor_holds_what_earns_its_ceiling() -> None:
    met = scenario(GAME, ("Changing(first=TitForTat, second=Constant(level=0.0), at=0.5)",))
    anchor = anchored(met, effort="quick")
    assert anchor.ceiling > anchor.constants.max()
    assert anchor.constants.argmax() not in (0, 100)
    assert anchor.random < anchor.constants.max()

    class Plan:
        def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
            self.left = list(anchor.plan)

        def act(self, observation: FloatArray) -> FloatArray:
            return np.full(len(observation), self.left.pop(0))

    (row,) = met.run([Plan()], 1, SEED)
    assert row["focal_return"] == pytest.approx(anchor.ceiling, rel=1e-12)


def test_residents_deviate_together() -> None:
    """Four deviate like the best commitment of all; alone a seat takes what the others make."""
    everybody = StrangersScenario("all", "TeamProduction-v1", (0, 1, 2, 3), (), "private", parameters=SHORT)
    alone, together = (
        free.values(free.plans(CONSTANTS[:, None]))
        for free in (valuation(scenario("TeamProduction-v1", ("Constant_30",)), 1), valuation(everybody, 1))
    )
    welfare = [
        np.mean([row["focal_return"] for row in everybody.run([Constant(level) for _ in range(4)], 1, SEED)])
        for level in CONSTANTS[[20, 60]]
    ]
    np.testing.assert_allclose(together[[20, 60]], welfare, rtol=1e-12)
    assert together.argmax() > alone.argmax()


def kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a folder of populations that can be written to, of which nobody but two has to be met."""
    folder = tmp_path / "strangers-v1"
    folder.mkdir()
    shutil.copyfile(FOLDER / PARTNERS_FILE, folder / PARTNERS_FILE)
    monkeypatch.setenv("COOPGYM_DATA", str(tmp_path))


def test_scores_need_anchors_of_the_very_partners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_elsewhere(tmp_path, monkeypatch)
    with pytest.raises(
        MissingAnchorsError, match=f"no anchors, .*`coopgym strangers build {GAME} --population test` computes them"
    ):
        strangers_score(GAME, "TitForTat")
    strangers = population(GAME)
    met = scenarios(strangers)
    digests = {each.name: scenario_digest(each, strangers) for each in met}
    assert len(set(digests.values())) == len(digests)
    made = Anchor("", "", "full", 1, 0.0, np.linspace(0.0, 1.0, 101), 2.0, "plan", np.full(100, 0.5), 0.0, np.zeros(3))
    anchors = [Anchor(**{**vars(made), "scenario": each.name, "digest": digests[each.name]}) for each in met]
    write_anchors(strangers, anchors)
    result = strangers_score(GAME, "TitForTat")
    assert (result.level, result.untrained) == (1.0, strangers.untrained)
    assert result.scenarios[0].normalised == pytest.approx(result.scenarios[0].focal_return / 2.0)
    write_anchors(strangers, [*anchors[:-1], Anchor(**{**vars(anchors[-1]), "digest": "another"})])
    with pytest.raises(MissingAnchorsError, match=f"1 have those of other partners, such as {met[-1].name}"):
        strangers_score(GAME, "TitForTat")


def test_a_dry_run_says_which_runs_would_fail_for_want_of_anchors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tmp_path / "one.toml"
    block = f'[[blocks]]\ngames = ["{GAME}"]\nstrangers = "test"\nagents = ["TitForTat"]\n'
    study.write_text(f'name = "one"\nseeds = [0]\nrewards = ["private"]\n{block}')
    arguments = ["run", str(study), "--out", str(tmp_path / "runs"), "--dry-run"]
    shutil.copytree(FOLDER, tmp_path / FOLDER.name)
    monkeypatch.setenv("COOPGYM_DATA", str(tmp_path))
    assert "would fail" not in CliRunner().invoke(app, arguments).output
    *fitting, last = read_anchors(population(GAME)).values()
    write_anchors(population(GAME), [*fitting, replace(last, digest="another")])
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    told = " ".join(result.output.split())
    assert f"would fail: {GAME}, test population: 0 of 27 scenarios have no anchors, 1 have those of other" in told
    assert f"`coopgym strangers build {GAME} --population test`" in told


def test_building_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_elsewhere(tmp_path, monkeypatch)
    computed: list[str] = []

    def cheap(met: StrangersScenario, digest: str, effort: str) -> Anchor:
        computed.append(met.name)
        if met.name.endswith("grim-0.6"):
            raise ArithmeticError("no ceiling")
        plan, features = np.zeros(100), np.zeros(9)
        return Anchor(met.name, digest, effort, 1, 0.0, np.zeros(101), 1.0, "plan", plan, 0.0, features)

    monkeypatch.setattr(building, "anchored", cheap)
    monkeypatch.setattr(building.TrainingPiece, "compute", lambda piece: None)
    request = BuildRequest((GAME,))
    stopped = building.build(BuildRequest((GAME,), seconds=-1.0), Silence(), Silence())
    assert (stopped.trained, stopped.anchors, stopped.left) == (0, 0, 2 + 23)
    built = building.build(request, Silence(), Silence())
    assert (built.trained, built.anchors, built.left) == (2, 22, 0)
    assert built.faults == {f"{GAME}/test/visitor/0/grim-0.6": "ArithmeticError: no ceiling"}
    assert list(read_anchors(population(GAME))) == [name for name in computed if not name.endswith("grim-0.6")]
    computed.clear()
    building.build(request, Silence(), Silence())
    assert computed == ["visitor/0/grim-0.6"]


@pytest.mark.parametrize("id", BUILT)
def test_released_anchors_fit_their_populations(id: str) -> None:
    strangers = population(id)
    held = read_anchors(strangers)
    for met in scenarios(strangers):
        if met.name in held:
            anchor = held[met.name]
            assert anchor.digest == scenario_digest(met, strangers)
            assert anchor.random < anchor.constants.max() <= anchor.ceiling
            assert anchor.effort == "full"


@pytest.mark.parametrize("id", BUILT)
def test_a_sample_of_the_released_anchors_is_what_they_say(id: str) -> None:
    strangers = population(id)
    held, met = read_anchors(strangers), {each.name: each for each in scenarios(strangers)}
    known = [name for name in met if name in held]
    for name in known[:: max(1, len(known) // 3)]:
        anchor, free = held[name], valuation(met[name], held[name].episodes)
        assert free.values(response(anchor))[0] == pytest.approx(anchor.ceiling, rel=1e-6)
        np.testing.assert_allclose(
            free.values(free.plans(np.array([[0.0], [0.5]]))), anchor.constants[[0, 50]], rtol=1e-6
        )


def test_the_best_constant_scores_nothing_in_play() -> None:
    best = strangers_score(GAME, "TitForTat").level
    assert strangers_score(GAME, f"Constant_{round(100 * best):02d}").score == pytest.approx(0.0, abs=1e-9)
    for level in (0, 50, 100):
        assert strangers_score(GAME, f"Constant_{level:02d}").score <= 1e-9


def test_results_say_how_an_agent_fares_by_kind_and_at_worst() -> None:
    result = strangers_score(GAME, "Random", episodes=4)
    assert result.score < 0.0
    assert set(result.kinds) == {each.scenario.kind for each in result.scenarios}
    assert result.worst.normalised == min(each.normalised for each in result.scenarios)
    assert result.worst.standard_error is not None
    advantage = {each.scenario.partners[0]: each.focal_return - each.partner_return for each in result.scenarios}
    assert advantage["constant-0.9"] > 0.0 > advantage["constant-0.35"]  # who puts in less has more


def test_commands_list_partners_and_score_agents() -> None:
    listed = CliRunner().invoke(app, ["strangers", "list", GAME])
    assert "exploiter" in listed.output
    assert "GrimTrigger(opening_level=0.6)" in listed.output
    scored = CliRunner().invoke(app, ["strangers", "score", GAME, "--agent", "TitForTat"])
    assert scored.exit_code == 0
    assert f"score    {strangers_score(GAME, 'TitForTat').score:7.3f}" in scored.output
    refused = CliRunner().invoke(app, ["strangers", "score", "TrustDilemma-v0", "--agent", "TitForTat"])
    assert refused.exit_code == 2
