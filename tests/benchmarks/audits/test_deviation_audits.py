"""Unilateral, temporal and reactive audits: laws they must obey, and what they share with each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.benchmarks.audits import AUDITS, Audited, AuditOptions
from coopgym.benchmarks.audits.action_plan import ActionPlans, ResetDraws
from coopgym.benchmarks.audits.rollout import outcome
from coopgym.benchmarks.audits.seats import seat_kinds
from coopgym.benchmarks.audits.temporal import stage_answers
from coopgym.corpus.schema import PROTOCOLS, SCHEMAS, TableName
from coopgym.corpus.writer import validate
from coopgym.games.registry import make_game
from coopgym.oracles.games.equilibrium import find_equilibria
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.rollout import initial_state
from coopgym.oracles.games.symmetry import groups_in_state
from coopgym.play import state_after
from coopgym.rewards import reward_layer

COARSE = AuditOptions(
    surface_step=0.1,
    grid_step=0.1,
    switch_step=0.25,
    last_steps=(1,),
    pulses=(2,),
    bases=("norm",),
    partners=("TitForTat", "GrimTrigger"),
    hidden_draws=3,
)
STATELESS = ("TeamProduction-v0", "DynamicPartnerSelection-v0")
"""Alike seats, and under private rewards the same stage game at every step."""


def audited(protocol: str, id: str, reward: str = "private", **changes: Any) -> Audited:
    return AUDITS[protocol](make_game(id), reward, 0, COARSE.model_copy(update=changes))


def column(found: Audited, table: TableName, name: str) -> Any:
    return found.tables[table][name].to_numpy(zero_copy_only=False)


def test_every_protocol_of_the_corpus_that_is_an_audit_has_one() -> None:
    assert {*AUDITS} == {*PROTOCOLS} - {"self_play", "scenario", "strangers"}


@pytest.mark.parametrize("protocol", AUDITS)
@pytest.mark.parametrize("id", ["AppleAppStore-v1", "SynergySearch-v1", "PlatformEcosystem-v0"])
def test_tables_and_columns_fit_the_corpus(protocol: str, id: str) -> None:
    found = audited(protocol, id)
    assert found.tables
    for name, table in found.tables.items():
        whole = table.add_column(0, SCHEMAS[name].field("run_id"), pa.array(["run"] * len(table)))
        validate(name, whole.cast(SCHEMAS[name]))
        assert len(table)
    assert {*found.columns} <= {*SCHEMAS["runs"].names}
    assert all(isinstance(value, float) and np.isfinite(value) for value in found.columns["class_metrics"].values())


@pytest.mark.parametrize("protocol", ["surface", "unilateral", "temporal", "reactive"])
def test_the_new_audits_hold_no_chance(protocol: str) -> None:
    game = make_game("SynergySearch-v1")
    one, another = (AUDITS[protocol](game, "integrated", seed, COARSE) for seed in (1, 2))
    assert one.columns == another.columns
    assert one.tables == another.tables


@settings(max_examples=12)
@given(
    st.sampled_from(["TrustDilemma-v0", "PlatformEcosystem-v1", "GiftExchange-v1"]),
    st.floats(0.0, 1.0),
    st.sampled_from(["private", "integrated", "cooperative"]),
)
def test_a_deviation_to_the_same_level_changes_nothing(id: str, level: float, reward: str) -> None:
    game = make_game(id)
    held, seats = level * game.spec.endowments, seat_kinds(game, reward)
    plans = np.broadcast_to(held[seats][:, None], (1, len(seats), 1))
    draws = ResetDraws.fixed(game, 1)
    deviating = outcome(game, reward, ActionPlans.deviating(held, seats, plans), draws)
    together = outcome(game, reward, ActionPlans.levels(held[None]), draws)
    np.testing.assert_array_equal(deviating.returns, np.repeat(together.returns, len(seats), axis=0))


def test_the_diagonal_of_the_grid_is_zero_and_the_rest_is_not() -> None:
    found = audited("unilateral", "PlatformEcosystem-v1")
    base, level = (column(found, "audit_unilateral", name) for name in ("base_level", "level"))
    gain, change = (column(found, "audit_unilateral", name) for name in ("gain", "others_change"))
    assert (gain[base == level] == 0).all()
    assert (change[base == level] == 0).all()
    assert (gain[base != level] != 0).all()
    assert found.tables["audit_unilateral"]["seat"].unique().to_pylist() == [0, 1]
    assert len(gain) == 2 * 11 * 11


@pytest.mark.parametrize("id", ["CoalitionFormation-v1", "ReputationMarket-v1", "PlatformEcosystem-v1"])
def test_one_seat_of_a_kind_stands_for_all(id: str) -> None:
    game = make_game(id)
    groups = groups_in_state(game, initial_state(game), [reward_layer("private")])
    held = 0.5 * game.spec.endowments
    for group in groups:
        seats = np.array(group)
        plans = np.multiply.outer(game.spec.endowments[seats], [0.0, 0.3, 0.9])[None]
        returns = outcome(game, "private", ActionPlans.deviating(held, seats, plans), ResetDraws.fixed(game, 1)).returns
        own = np.take_along_axis(returns.reshape(len(seats), 3, -1), seats[:, None, None], axis=2)[..., 0]
        np.testing.assert_allclose(own, np.broadcast_to(own[:1], own.shape), rtol=1e-9)


@pytest.mark.parametrize("id", STATELESS)
def test_nobody_gains_at_the_stage_equilibrium_of_a_stateless_game(id: str) -> None:
    game = make_game(id)
    nash = float(find_equilibria(StageGame(game, "private")).only().profile[0])
    held = nash * game.spec.endowments
    plans = (np.linspace(0.0, 1.0, 101) * game.spec.endowments[0])[None, None]
    seat = np.array([0])
    draws = ResetDraws.fixed(game, 1)
    base = outcome(game, "private", ActionPlans.levels(held[None]), draws).returns[0, 0]
    best = outcome(game, "private", ActionPlans.deviating(held, seat, plans), draws).returns[:, 0].max()
    assert best - base <= 1e-9 * base
    found = audited("temporal", id, bases=(nash,)).columns["class_metrics"]
    assert 0 <= found[f"found_gain@{nash:g}"] <= 1e-9
    assert stage_answers(game, "private", held, seat, np.array([0, 7]))[0] == pytest.approx(nash, abs=1e-5)


def test_the_calm_level_of_a_stateless_game_is_its_equilibrium() -> None:
    found = audited("unilateral", "TeamProduction-v0", grid_step=0.02).columns["class_metrics"]
    assert found["calm_level_seat0"] == pytest.approx(0.40)  # 39.7 % between levels of 2 %
    assert found["stable_level"] == found["calm_level_seat0"]
    assert found["calm_gain_seat0"] == 0
    assert found["exploitable_from_seat0"] > 0.40
    assert found["exploitable_to_seat0"] == 1


def test_a_deviation_in_the_last_step_gains_what_the_stage_game_pays() -> None:
    game = make_game("TrustDilemma-v1", max_steps=6)
    found = AUDITS["temporal"](game, "private", 0, COARSE.model_copy(update={"bases": (0.7,), "search": None}))
    rows = [row for row in found.tables["audit_temporal"].to_pylist() if row["strategy"] == "late"]
    last = [row for row in rows if row["first_step"] == 5]
    assert len(last) == 3
    state = state_after(game, np.full((5, 2), 0.7), initial_state(game))
    for row in last:
        actions = np.array([row["level"], 0.7]) * game.endowments
        paid = game.stage(state, actions).payoffs - game.stage(state, 0.7 * game.endowments).payoffs
        assert row["gain"] == pytest.approx(paid[0], rel=1e-9)
        assert row["others_change"] == pytest.approx(paid[1], rel=1e-9)
    assert max(row["gain"] for row in last) == last[0]["gain"] > 0  # the stage best response


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "AppleAppStore-v0"])
def test_the_search_finds_at_least_what_was_tested(id: str) -> None:
    found = audited("temporal", id, "integrated", bases=("best", "norm"))
    metrics = found.columns["class_metrics"]
    rows = found.tables["audit_temporal"].to_pylist()
    for base in ("best", "norm"):
        assert metrics[f"found_gain@{base}"] >= metrics[f"tested_gain@{base}"] >= 0
    places = {(row["seat"], row["base_level"]) for row in rows}
    assert len(places) == 2 * len(seat_kinds(make_game(id), "integrated"))
    for seat, base in places:
        gains = {"best": [], "other": []}
        for row in rows:
            if (row["seat"], row["base_level"]) == (seat, base):
                gains["best" if row["strategy"] == "best" else "other"].append(row["gain"])
        assert len(gains["best"]) == 1
        assert gains["best"][0] >= max(gains["other"]) - 1e-9


def test_rows_in_time_say_what_was_played() -> None:
    game = make_game("TrustDilemma-v1", max_steps=20)
    found = AUDITS["temporal"](game, "private", 0, COARSE.model_copy(update={"bases": (0.6,), "search": None}))
    for row in found.tables["audit_temporal"].to_pylist():
        if row["strategy"] not in ("late", "early", "pulse"):
            continue
        plan = np.full(20, 0.6)
        plan[row["first_step"] : row["last_step"] + 1] = row["level"]
        ways = ActionPlans.deviating(
            0.6 * game.spec.endowments, np.array([row["seat"]]), (plan * game.spec.endowments[0])[:, None, None]
        )
        played = outcome(game, "private", ways, ResetDraws.fixed(game, 1))
        np.testing.assert_allclose(row["seat_returns"], played.returns[0], rtol=1e-12)


@pytest.mark.parametrize("protocol", AUDITS)
def test_the_shortest_episodes_can_be_audited(protocol: str) -> None:
    for steps in (1, 2):
        found = AUDITS[protocol](make_game("TrustDilemma-v1", max_steps=steps), "private", 0, COARSE)
        assert all(len(table) for table in found.tables.values())
        assert all(np.isfinite(value) for value in found.columns["class_metrics"].values())


def test_partners_that_never_react_make_the_reactive_audit_unilateral() -> None:
    for id in ("PlatformEcosystem-v1", "SynergySearch-v0"):
        reacting = audited("reactive", id, "integrated", partners=("Constant_50",))
        fixed = audited("unilateral", id, "integrated")
        half = column(fixed, "audit_unilateral", "base_level") == np.float32(0.5)
        for name in ("seat", "level", "base_level", "gain", "others_change"):
            np.testing.assert_allclose(
                column(reacting, "audit_unilateral", name), column(fixed, "audit_unilateral", name)[half], rtol=1e-4
            )
        assert column(reacting, "audit_unilateral", "partner")[0] == "Constant_50"


def test_grim_partners_take_away_what_a_lasting_deviation_gains() -> None:
    partners = ("Constant_50", "GrimTrigger")
    found = audited("reactive", "TrustDilemma-v1", partners=partners)
    names, levels, gains = (column(found, "audit_unilateral", name) for name in ("partner", "level", "gain"))
    below_norm = levels < 0.25  # the norm is 30 %
    grim, patient = (gains[(names == name) & below_norm] for name in ("GrimTrigger", "Constant_50"))
    assert (grim < patient).all()
    assert (grim < 0).all()
    assert found.columns["class_metrics"]["late_gain@GrimTrigger"] > 0  # too late to be punished


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"grid_step": 0.03}, "does not divide 1"),
        ({"surface_step": 0.0}, "greater than 0"),
        ({"bases": ("worst",)}, "best"),
        ({"bases": (1.5,)}, "less than or equal to 1"),
        ({"partners": ("TitForTatt",)}, "TitForTat"),
        ({"partners": ("no_such_module:Agent",)}, "no_such_module"),
        ({"search": "deep"}, "quick"),
        ({"levels": 5}, "[Ee]xtra"),
        ({"pulses": (0,)}, "greater than or equal to 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        AuditOptions(**changes)
