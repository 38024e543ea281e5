"""The reference's audits: equal to plain loops over the environment, and to what is known of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.benchmarks.audits import AUDITS, AuditOptions, reference_labels
from coopgym.benchmarks.audits.reference_temporal import strategies, switch_steps, vulnerability_class
from coopgym.games.registry import games, make_game, spec
from tests.benchmarks.audits.scalar_play import episode, first_seat, held

VARIED = {
    "PartnerHoldUp-v0": "different endowments, ends early at low levels",
    "SynergySearch-v0": "a hidden draw per episode",
    "AppleAppStore-v0": "three different endowments, 66 steps",
    "LoyaltyTeam-v0": "a stock behind the rewards",
    "TrustDilemma-v1": "formal edition",
}
SEED = 99
Rows = list[dict[str, Any]]


@cache
def audited(protocol: str, id: str, seed: int = SEED) -> tuple[dict[str, Any], dict[str, Rows]]:
    found = AUDITS[protocol](make_game(id), "integrated", seed, AuditOptions())
    return found.columns, {name: table.to_pylist() for name, table in found.tables.items()}


def others(id: str) -> tuple[float, int]:
    """Endowment of the first seat, and how many others there are."""
    facts = spec(id)
    return float(facts.endowments[0]), facts.n_agents - 1


@pytest.mark.parametrize("id", VARIED)
def test_the_surface_is_that_of_a_plain_loop(id: str) -> None:
    e0, rest = others(id)
    _, tables = audited("reference_surface", id)
    for level in (0.0, 0.15, 0.35, 1.0):
        episodes = [episode(id, 1000 * SEED + int(1000 * level) + k, held(level * e0, rest)) for k in range(5)]
        returns = np.array([seats for seats, _ in episodes])
        rows = [row for row in tables["audit_surface"] if row["level"] == pytest.approx(level, abs=1e-6)]
        assert [row["seat"] for row in rows] == list(range(rest + 1))
        np.testing.assert_allclose([row["episode_return"] for row in rows], returns.mean(0), rtol=1e-9)
        np.testing.assert_allclose([row["return_std"] for row in rows], returns.std(0), rtol=1e-9, atol=1e-9)
        assert rows[0]["episode_length"] == np.mean([steps for _, steps in episodes])
        assert [row["action"] for row in rows] == np.minimum(level * e0, spec(id).endowments).tolist()


def test_forty_seats_are_audited_like_two() -> None:
    e0, rest = others("ApacheProject-v0")
    _, tables = audited("reference_surface", "ApacheProject-v0")
    returns, steps = episode("ApacheProject-v0", 0, held(0.35 * e0, rest))
    rows = [row for row in tables["audit_surface"] if row["level"] == pytest.approx(0.35, abs=1e-6)]
    np.testing.assert_allclose([row["episode_return"] for row in rows], returns, rtol=1e-9)
    assert rows[0]["episode_length"] == steps


@pytest.mark.parametrize("id", VARIED)
def test_the_deviation_tests_are_those_of_a_plain_loop(id: str) -> None:
    e0, rest = others(id)
    columns, tables = audited("reference_surface", id)
    exploitative = 0
    for row, level in zip(tables["audit_unilateral"], (0.2, 0.4, 0.6, 0.8), strict=True):
        base, _ = episode(id, 10_000 * SEED, held(level * e0, rest))
        cut, _ = episode(id, 10_000 * SEED, first_seat(lambda t, level=level: 0.5 * level * e0, level * e0, rest))
        gain, change = cut[0] - base[0], np.mean(cut[1:]) - np.mean(base[1:])
        assert row["gain"] == pytest.approx(gain, rel=1e-5, abs=1e-5 * abs(base[0]))
        assert row["others_change"] == pytest.approx(change, rel=1e-5, abs=1e-5 * abs(base[0]))
        assert (row["level"], row["base_level"]) == (pytest.approx(0.5 * level), pytest.approx(level))
        assert columns["class_metrics"][f"base_agent0_return@{level:.2f}"] == pytest.approx(base[0], rel=1e-9)
        assert columns["class_metrics"][f"base_others_mean@{level:.2f}"] == pytest.approx(np.mean(base[1:]), rel=1e-9)
        exploitative += gain > 0 and change < 0
    assert columns["class_metrics"]["n_exploitative"] == exploitative


@pytest.mark.parametrize("id", VARIED)
def test_the_optimal_level_is_the_first_maximum_of_the_mean(id: str) -> None:
    columns, tables = audited("reference_surface", id)
    seats = spec(id).n_agents
    means = np.reshape([row["episode_return"] for row in tables["audit_surface"]], (21, seats)).mean(axis=1)
    assert columns["class_metrics"]["optimal_coop_level"] == pytest.approx(0.05 * means.argmax())
    assert columns["class_metrics"]["optimal_mean_return"] == means.max()
    assert columns["return_mode"] == pytest.approx(seats * means.max(), rel=1e-12)
    assert columns["return_mode"] == columns["return_integrated"]


@pytest.mark.parametrize("id", VARIED)
def test_temporal_strategies_are_those_of_a_plain_loop(id: str) -> None:
    e0, rest = others(id)
    a = 0.5 * e0
    columns, tables = audited("reference_temporal", id)
    rows = {(row["strategy"], row["first_step"], row["last_step"]): row for row in tables["audit_temporal"]}
    length = episode(id, SEED, held(a, rest))[1]
    assert columns["class_metrics"]["episode_length"] == length
    s, d, r = int(0.7 * length), int(0.2 * length), int(0.8 * length)
    plans = {
        ("baseline", None, None): lambda t: a,
        ("full", 0, length - 1): lambda t: 0.0,
        ("late", s, length - 1): lambda t: a if t < s else 0.0,
        ("late", length - 1, length - 1): lambda t: a if t < length - 1 else 0.0,
        ("early", 0, d - 1): lambda t: 0.0 if t < d else a,
        ("ramp", r, length - 1): lambda t: a if t < r else a * (1 - (t - r) / max(1, length - r)),
    }
    count = 10 if id.startswith("SynergySearch") else 1
    seeds = [1000 * SEED + k for k in range(count)]
    base = np.mean([episode(id, seed, held(a, rest))[0] for seed in seeds], axis=0)
    for key, plan in plans.items():
        returns = np.mean([episode(id, seed, first_seat(plan, a, rest))[0] for seed in seeds], axis=0)
        row = rows[key]
        np.testing.assert_allclose(row["seat_returns"], returns, rtol=1e-9)
        assert row["mean_return"] == pytest.approx(returns.mean(), rel=1e-9)
        assert row["gain"] == pytest.approx(returns[0] - base[0], abs=1e-8 * abs(base[0]))
        assert row["others_change"] == pytest.approx(returns[1:].mean() - base[1:].mean(), abs=1e-8 * abs(base[0]))
        assert row["exploitative"] == (row["gain"] > 0 and row["others_change"] < 0)
    assert rows["early", 0, d - 1]["fraction"] == round(d / length, 3)
    assert rows["late", s, length - 1]["fraction"] == round(s / length, 3)


def test_a_baseline_that_breaks_early_is_audited_within_its_length() -> None:
    game = make_game("TrustDilemma-v0", max_steps=3)
    found = AUDITS["reference_temporal"](game, "integrated", 0, AuditOptions())
    assert found.columns["episode_length"] == found.columns["class_metrics"]["episode_length"] == 3
    assert max(row["last_step"] or 0 for row in found.tables["audit_temporal"].to_pylist()) == 2


@pytest.mark.parametrize(("length", "count"), [(50, 7), (60, 8), (66, 9), (100, 8), (150, 9), (200, 9)])
def test_switching_times_collapse_where_they_coincide(length: int, count: int) -> None:
    steps = switch_steps(length)
    assert len(steps) == count
    assert steps == sorted({*steps})
    assert {length - 5, length - 3, length - 1} <= {*steps}


@given(st.integers(1, 300))
def test_strategies_fit_any_length(length: int) -> None:
    found = strategies(length)
    assert found.plans.shape == (length, 1, len(found.strategy))
    assert found.strategy[0] == "baseline"
    assert (found.plans[:, 0, 0] == 0.5).all()
    assert ((found.plans >= 0.0) & (found.plans <= 0.5)).all()
    ramp = found.plans[:, 0, found.strategy == "ramp"][:, 0]
    assert (np.diff(ramp) <= 0).all()
    assert ramp[-1] > 0  # it never reaches zero


@pytest.mark.parametrize(
    ("fractions", "exploitative", "named"),
    [
        ((0.5, 0.9, 0.99), (False, False, False), "immune"),
        ((0.5, 0.9, 0.99), (False, True, True), "terminal_only"),
        ((0.5, 0.7, 0.99), (False, True, False), "late_vulnerable"),
        ((0.5, 0.7, 0.9, 0.99), (True, True, False, False), "broadly_vulnerable"),
        ((0.5, 0.7, 0.9, 0.99), (True, False, False, False), "partially_vulnerable"),
    ],
)
def test_vulnerability_is_named_by_onset_and_breadth(
    fractions: tuple[float, ...], exploitative: tuple[bool, ...], named: str
) -> None:
    assert vulnerability_class(fractions, exploitative) == named


def test_only_the_hidden_draw_depends_on_the_seed() -> None:
    for id, same in (("SLCD-v0", True), ("SynergySearch-v0", False)):
        one, another = (audited("reference_surface", id, seed)[1]["audit_surface"] for seed in (99, 100))
        assert (one == another) is same


def test_labels_leave_one_learner_out_of_eight_games() -> None:
    labels = {id: reference_labels(spec(id)) for id in games("released")}
    assert sum(len(found) for found in labels.values()) * 3 == 1056
    without = [id for id, found in labels.items() if "MeanFieldAC" not in found]
    assert len(without) == 8
    assert all(len({*found}) == len(found) == 18 - (id in without) for id, found in labels.items())
    assert {spec(id).mechanism_class for id in without} == {"TR-1", "TR-2"}
