"""Matching, sanctions, memberships and agreements, against rules written out agent by agent."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.mechanisms.matching import time_shares
from coopgym.mechanisms.membership import platform_links, update_coalition, update_members
from coopgym.mechanisms.negotiation import damages, judge_proposals
from coopgym.mechanisms.sanctions import enforcement_costs, fines, update_record, violations

N = 4
seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0.0, 1.0)


@given(seeds, st.floats(0.0, 5.0))
def test_meetings_take_what_both_sides_propose(seed: int, choosiness: float) -> None:
    z = np.random.default_rng(seed).random((N, N))
    q = time_shares(z, 1.0 - np.eye(N), choosiness)

    def proposal(i: int, j: int) -> float:
        return math.exp(choosiness * z[i, j]) / sum(math.exp(choosiness * z[i, k]) for k in range(N) if k != i)

    for i in range(N):
        for j in range(N):
            assert q[i, j] == pytest.approx(0.0 if i == j else min(proposal(i, j), proposal(j, i)))
    np.testing.assert_array_equal(q, q.T)
    assert (q.sum(axis=1) <= 1.0 + 1e-12).all()


def test_equals_share_their_time_equally() -> None:
    q = time_shares(np.full((2, N, N), 0.7), 1.0 - np.eye(N), 1.0)
    np.testing.assert_allclose(q, np.broadcast_to((1.0 - np.eye(N)) / (N - 1), (2, N, N)))


@given(st.lists(shares, min_size=N, max_size=N), st.lists(shares, min_size=N, max_size=N))
def test_fines_grow_with_the_record_and_the_others_pay_for_enforcement(c: list[float], record: list[float]) -> None:
    norm = 0.4
    v = [max(norm - share, 0.0) / norm for share in c]
    f = [(0.15 + (0.60 - 0.15) * n) * short for n, short in zip(record, v, strict=True)]
    violation = violations(np.array(c), np.full(N, norm))
    fine = fines(violation, np.array(record))
    np.testing.assert_allclose(violation, v)
    np.testing.assert_allclose(fine, f)
    costs = [sum(0.25 * f[j] / (N - 1) for j in range(N) if j != i) for i in range(N)]
    np.testing.assert_allclose(enforcement_costs(fine), costs, atol=1e-15)
    assert float(enforcement_costs(fine).sum()) == pytest.approx(0.25 * sum(f))
    after = update_record(np.array(record), violation)
    np.testing.assert_allclose(after, [0.95 * n + 0.30 * s * (1 - n) for n, s in zip(record, v, strict=True)])
    assert ((after >= 0.0) & (after <= 1.0)).all()


@given(seeds)
def test_partners_leave_on_weak_links_and_return_on_strong_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    trust, present = 0.6 * rng.random((N, N)), rng.integers(0, 2, N - 1).astype(float)
    members = np.concatenate([[present.max()], present])
    links = platform_links(trust)
    expected = []
    for j in range(1, N):
        link = min(trust[j, 0], trust[0, j])
        assert links[j - 1] == link
        expected.append(0.0 if link < 0.15 else 1.0 if link >= 0.35 else members[j])
    assert update_members(members, links).tolist() == [max(expected), *expected]


def test_thresholds_of_links_belong_to_staying_and_returning() -> None:
    assert update_members(np.array([1.0, 1.0, 0.0]), np.array([0.15, 0.35])).tolist() == [1.0, 1.0, 1.0]
    assert update_members(np.array([1.0, 1.0, 0.0]), np.array([0.1499, 0.3499])).tolist() == [0.0, 0.0, 0.0]


@given(seeds, st.booleans())
def test_coalitions_expel_and_readmit_all_at_once(seed: int, exclusion: bool) -> None:
    rng = np.random.default_rng(seed)
    members = rng.integers(0, 2, N).astype(float)
    timers = rng.integers(0, 6, N) * (1.0 - members)
    loyalty = rng.choice([0.05, 0.15, 0.3, 0.40, 0.8], N)
    joined, waits = update_coalition(members, timers, loyalty, exclusion)
    for i in range(N):
        leaves = exclusion and members[i] == 1.0 and loyalty[i] < 0.15
        timer = 5.0 if leaves else 0.0 if members[i] == 1.0 else max(timers[i] - 1.0, 0.0)
        returns = members[i] == 0.0 and timer <= 0.0 and loyalty[i] >= 0.40
        assert (joined[i], waits[i]) == (members[i] - leaves + returns, timer)


def test_who_is_expelled_stays_outside_for_five_steps() -> None:
    members, timers = update_coalition(np.ones(1), np.zeros(1), np.array([0.1]), exclusion=True)
    outside = 0
    while members[0] == 0.0:
        outside += 1
        members, timers = update_coalition(members, timers, np.array([0.9]), exclusion=True)
    assert outside == 5


@given(shares, shares, shares, st.booleans())
def test_proposals_are_judged_by_the_standing_agreement(
    first: float, second: float, level: float, agreed: bool
) -> None:
    tolerance = 0.10
    judged = judge_proposals(np.array([first, second]), np.array(float(agreed)), np.array(level), tolerance)
    close = abs(first - second) <= tolerance
    short = [0.0 if close or not agreed else max(level - tolerance - c, 0.0) for c in (first, second)]
    assert float(judged.close) == close
    np.testing.assert_allclose(judged.shortfall, short)
    assert float(judged.breach) == any(s > 0 for s in short)


@given(st.tuples(shares, shares))
def test_damages_go_to_the_partner(short: tuple[float, float]) -> None:
    transfers = damages(np.array(short), 2.0)
    np.testing.assert_allclose(transfers, [2 * (short[1] - short[0]), 2 * (short[0] - short[1])], atol=1e-12)
    assert float(transfers.sum()) == pytest.approx(0.0, abs=1e-15)
