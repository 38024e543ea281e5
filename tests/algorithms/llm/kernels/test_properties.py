"""Laws that the kernels of language-model methods keep on any input."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coopgym.algorithms.llm.kernels import (
    arena,
    bnpo,
    copo,
    core,
    decs,
    exploration,
    gtalign,
    h1,
    igpo,
    intervention,
    matchtir,
    p2s,
    ppr,
    prorag,
    scope,
    siop,
    spae,
    treeps,
    vstar,
)
from coopgym.typing import FloatArray

FEW = settings(max_examples=15)
ROUNDING = 1e-9
VALUES = st.integers(-40, 40).map(lambda number: number / 10.0)
"""Multiples of 0.1: none of their sums and means is exact."""
UNIT = st.integers(0, 20).map(lambda number: number / 20.0)
Rows = list[list[float]]


def vectors(length: int, elements: st.SearchStrategy[float] = VALUES) -> st.SearchStrategy[FloatArray]:
    return arrays(np.float64, length, elements=elements)


def rows(shortest: int = 1, longest: int = 5) -> st.SearchStrategy[Rows]:
    return st.lists(st.lists(VALUES, min_size=shortest, max_size=longest), min_size=1, max_size=8)


@st.composite
def grouped(draw: st.DrawFn, elements: st.SearchStrategy[float] = VALUES) -> tuple[FloatArray, list[int]]:
    group = draw(st.lists(st.integers(0, 3), min_size=1, max_size=16))
    return draw(vectors(len(group), elements)), group


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[int], list[float | None]]:
    parent = [-1] + [draw(st.integers(0, node)) for node in range(draw(st.integers(0, 12)))]
    inner = set(parent)
    return parent, [None if node in inner else draw(VALUES) for node in range(len(parent))]


def of_group(values: Sequence[Any], group: Sequence[int], label: int) -> list[Any]:
    return [value for value, owner in zip(values, group, strict=True) if owner == label]


# Groups, returns and losses


@FEW
@given(grouped(), st.sampled_from([0, 1]))
def test_z_scores_of_a_group_are_centred_with_unit_spread_and_blind_to_scale(
    sample: tuple[FloatArray, list[int]], ddof: int
) -> None:
    x, group = sample
    z = core.group_zscore(x, group, ddof=ddof, eps=0.0)
    np.testing.assert_allclose(core.group_zscore(3.0 * x + 7.0, group, ddof=ddof, eps=0.0), z, atol=ROUNDING)
    for label in set(group):
        member = np.array(group) == label
        assert abs(z[member].mean()) < ROUNDING
        if np.unique(x[member]).size > 1:
            assert z[member].std(ddof=ddof) == pytest.approx(1.0)


@FEW
@given(VALUES, st.integers(1, 7))
def test_groups_without_variance_get_exactly_nothing(value: float, size: int) -> None:
    same, group = [value] * size, ["q"] * size
    each = [[value]] * size
    answers = [index % 2 for index in range(size)]
    assert not core.group_zscore(same, group).any()
    assert not core.group_center(same, group).any()
    assert not np.concatenate(igpo.advantages(each, group)).any()
    assert not np.concatenate(matchtir.advantages(each, group)).any()
    assert not np.concatenate(siop.advantages(each, group)).any()
    assert not np.concatenate(prorag.advantages(same, each, [[3]] * size, group)).any()
    assert not decs.advantages(np.full((size, 4), value), [4] * size).any()
    assert not bnpo.advantages(same, group, r_min=-4.0, r_max=4.0).any()
    assert not np.concatenate(vstar.sibling_advantages([[answer] for answer in answers], same)).any()
    table = np.full((size, size), value)
    for tournament in (arena.round_robin, arena.anchor, arena.single_elimination):
        assert not tournament(table)["adv"].any()
    local = copo.advantages(same, answers, group)
    assert not local["local"].any()
    assert not local["w_local"].any()
    steps = spae.advantages([[value]] * size, same, group, [[2]] * size, [1] * size)
    assert not steps["answer"].any()
    assert not np.concatenate(steps["steps"]).any()


def test_a_group_of_one_keeps_its_value_where_asked_to() -> None:
    x, group = [0.1, 0.7, 0.7, 0.7], ["a", "b", "b", "b"]
    np.testing.assert_array_equal(core.group_zscore(x, group, singleton="raw"), [0.1, 0.0, 0.0, 0.0])


@FEW
@given(st.lists(VALUES, max_size=8), st.floats(0.0, 1.0))
def test_turn_returns_differ_by_what_a_turn_pays(r: list[float], gamma: float) -> None:
    returns = core.turn_returns(r, gamma)
    np.testing.assert_allclose(returns - gamma * np.append(returns, 0.0)[1:], r, atol=ROUNDING)


@FEW
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=5), st.integers(0, 3), st.data())
def test_broadcast_covers_each_span_and_nothing_else(
    gaps: list[tuple[int, int]], tail: int, data: st.DataObject
) -> None:
    adv = data.draw(vectors(len(gaps)))
    starts = np.cumsum([0, *[gap + size for gap, size in gaps]])
    spans = [(int(start) + gap, int(start) + gap + size) for start, (gap, size) in zip(starts, gaps, strict=False)]
    tokens = core.broadcast(adv, spans, int(starts[-1]) + tail)
    assert tokens.sum() == pytest.approx(sum(a * size for a, (_, size) in zip(adv, gaps, strict=True)))
    for value, (start, end) in zip(adv, spans, strict=True):
        assert (tokens[start:end] == value).all()


@FEW
@given(st.data())
def test_losses_of_the_sampling_policy_are_negative_advantages(data: st.DataObject) -> None:
    shape = (3, 4)
    logp = data.draw(arrays(np.float64, shape, elements=st.floats(-3.0, 0.0)))
    adv = data.draw(vectors(3))
    mask = data.draw(arrays(np.bool_, shape).filter(np.any))
    table = np.broadcast_to(adv[:, None], shape)
    expected = pytest.approx(-table[mask].mean(), abs=ROUNDING)
    assert core.clip_loss(logp, logp, table, mask, dual_clip=3.0, logp_ref=logp, kl_coef=0.5) == expected
    assert copo.loss(logp, logp, adv, adv, [0.0, 0.3, 1.0], mask) == expected
    assert scope.loss(logp, logp, adv, mask, np.zeros(shape)) == expected
    by_sequence = core.clip_loss(logp, logp, table, mask, agg="seq_mean_token_sum")
    assert core.clip_loss(logp, logp, table, mask, agg="seq_sum_const", norm_len=4) == pytest.approx(by_sequence / 4)


def test_the_blend_of_losses_ends_at_either_loss() -> None:
    logp, old = np.array([[-1.0, -0.2]]), np.array([[-1.5, -0.1]])
    mask, local, glob = [[1, 1]], [0.7], [-1.1]
    for weight, adv in ((1.0, local), (0.0, glob)):
        alone = core.clip_loss(logp, old, np.full((1, 2), adv[0]), mask, eps_high=0.28, dual_clip=3.0)
        assert copo.loss(logp, old, local, glob, [weight], mask) == pytest.approx(alone)


def test_what_the_mask_leaves_out_does_not_matter() -> None:
    logp, old, mask = [[-1.0, -900.0]], [[-1.2, 0.0]], [[1, 0]]
    kept = core.clip_loss([[-1.0]], [[-1.2]], [[2.0]], [[1]])
    assert core.clip_loss(logp, old, [[2.0, 5.0]], mask) == pytest.approx(kept)
    assert core.clip_loss(old, logp, [[2.0, 5.0]], mask) == pytest.approx(
        core.clip_loss([[-1.2]], [[-1.0]], [[2.0]], [[1]])
    )
    assert scope.loss(old, logp, [2.0], mask, [[0, 0]]) == pytest.approx(
        core.clip_loss([[-1.2]], [[-1.0]], [[2.0]], [[1]])
    )


# Credit per turn


@FEW
@given(rows(), st.sampled_from(["logprob", "prob"]))
def test_igpo_gains_telescope(beliefs: Rows, belief: str) -> None:
    outcomes = np.arange(len(beliefs), dtype=np.float64)
    for row, outcome, rewards in zip(beliefs, outcomes, igpo.turn_rewards(beliefs, outcomes, belief), strict=True):
        held = np.exp(row) if belief == "prob" else np.array(row)
        assert rewards[:-1].sum() == pytest.approx(held[-1] - held[0], abs=ROUNDING)
        assert rewards[-1] == outcome


def test_igpo_skips_beliefs_that_are_not_finite() -> None:
    beliefs = [[-np.inf, -3.0, np.nan, -1.0, -0.5], [np.nan], [-2.0, -np.inf], [np.nan, -9.0, -8.0]]
    first, second, third, fourth = igpo.turn_rewards(beliefs, [1.0, 0.0, 0.5, 0.0])
    np.testing.assert_allclose(first, [0.0, 0.0, 2.0, 0.5, 1.0])
    np.testing.assert_array_equal(second, [0.0])
    np.testing.assert_array_equal(third, [0.0, 0.5])
    np.testing.assert_array_equal(fourth, [0.0, 1.0, 0.0])


@FEW
@given(grouped())
def test_igpo_with_single_turns_is_a_population_z_score(sample: tuple[FloatArray, list[int]]) -> None:
    x, group = sample
    turns = np.concatenate(igpo.advantages(x[:, None], group, var_floor=0.0))
    np.testing.assert_allclose(turns, core.group_zscore(x, group, ddof=0), atol=ROUNDING)


@FEW
@given(rows(), st.randoms(use_true_random=False))
def test_turn_level_credit_does_not_depend_on_the_order_of_members(turns: Rows, random: Any) -> None:
    group = [index % 2 for index in range(len(turns))]
    order = list(range(len(turns)))
    random.shuffle(order)
    for advantages in (igpo.advantages, matchtir.advantages, siop.advantages):
        straight = advantages(turns, group)
        shuffled = advantages([turns[index] for index in order], [group[index] for index in order])
        for place, index in enumerate(order):
            np.testing.assert_allclose(shuffled[place], straight[index], atol=1e-7)


@FEW
@given(arrays(np.float64, (5, 2), elements=st.floats(-8.0, 0.0)), UNIT, UNIT)
def test_siop_rewards_telescope(reference: FloatArray, q: float, lam: float) -> None:
    rewards = siop.turn_rewards(reference, [0.5, 0.5], q, lam)
    support = np.log(np.exp(reference).mean(-1) + 1e-8)
    assert rewards.sum() == pytest.approx(q * (support[-1] - support[0]) + (1.0 - lam) * q, abs=ROUNDING)


def test_siop_only_centres_a_pool_that_is_nearly_flat() -> None:
    (row,) = siop.advantages([[0.5, 0.5 + 1e-7]], ["q"])
    np.testing.assert_allclose(row, [0.0, 5e-8], atol=1e-12)


@FEW
@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=1, max_size=8), st.data(), st.floats(0.0, 50.0))
def test_siop_targets_are_a_distribution_over_clusters(
    cluster: list[int | None], data: st.DataObject, eta: float
) -> None:
    evidence = data.draw(st.lists(st.one_of(st.none(), UNIT), min_size=len(cluster), max_size=len(cluster)))
    target = siop.target(cluster, evidence, eta)
    shares = {name: q for name, q in zip(cluster, target, strict=True) if name is not None}
    assert sum(shares.values()) == pytest.approx(1.0 if shares else 0.0)
    assert all(q == 0.0 for name, q in zip(cluster, target, strict=True) if name is None)
    if len(shares) == 1:
        assert next(iter(shares.values())) == pytest.approx(1.0)


@FEW
@given(rows(), st.integers(1, 4))
def test_prorag_weighs_steps_by_their_tokens(scores: Rows, tokens: int) -> None:
    group = [0] * len(scores)
    zero, counts = [0.0] * len(scores), [[tokens] * len(row) for row in scores]
    once = prorag.advantages(zero, scores, counts, group)
    repeated = prorag.advantages(
        zero, [np.repeat(row, tokens) for row in scores], [[1] * tokens * len(row) for row in scores], group
    )
    assert abs(sum(row.sum() for row in once)) < 1e-6
    for short, long in zip(once, repeated, strict=True):
        np.testing.assert_allclose(np.repeat(short, tokens), long, atol=ROUNDING)


@FEW
@given(vectors(5, UNIT), vectors(5, UNIT))
def test_spae_potentials_are_bounded(acc: FloatArray, conf: FloatArray) -> None:
    assert (np.abs(spae.potential(acc, conf)) <= 1.0).all()


@FEW
@given(rows(), st.data())
def test_spae_is_white_over_tokens(phi: Rows, data: st.DataObject) -> None:
    reward = data.draw(vectors(len(phi), st.sampled_from([0.0, 1.0])))
    tokens = [data.draw(st.lists(st.integers(0, 9), min_size=len(row), max_size=len(row))) for row in phi]
    last = data.draw(st.lists(st.integers(1, 4), min_size=len(phi), max_size=len(phi)))
    white = spae.advantages(phi, reward, [0] * len(phi), tokens, last)
    values = np.concatenate([*white["steps"], white["answer"]])
    repeated = np.repeat(values, np.concatenate([*tokens, last]).astype(int))
    assert repeated.mean() == pytest.approx(0.0, abs=1e-6)
    assert repeated.std() == pytest.approx(1.0, abs=1e-4) or not repeated.any()


@FEW
@given(st.integers(0, 6), st.integers(0, 6), st.integers(6, 9), st.sampled_from(["code", "paper"]))
def test_decs_pays_less_for_redundant_tokens_only(start: int, end: int, length: int, form: str) -> None:
    rewards = decs.token_rewards(True, start, end, length, width=10, max_len=20, form=form)
    redundant = (np.arange(10) >= start) & (np.arange(10) < end)
    assert (rewards[redundant] < 1.1).all()
    assert (rewards[~redundant] == 1.1).all()


def test_a_short_correct_rollout_stays_in_the_baseline_of_later_positions() -> None:
    rewards = [[1.1, 1.1, 1.1, 1.1], [1.1, 1.1, 1.0, 1.0], [1.1, 1.1, 1.1, 1.1]]
    adv = decs.advantages(rewards, [2, 4, 2])
    np.testing.assert_array_equal(adv[[0, 2]], 0.0)
    assert (adv[1, 2:] < -1.0).all()
    np.testing.assert_array_equal(adv, decs.advantages(rewards, [2, 4, 4]) * (adv != 0.0))


@FEW
@example(22, 100, 12)  # 0.12 · 22 / 0.88 is a little less than 3 in floating point
@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 100))
def test_decs_admits_easy_prompts_up_to_their_share(mixed: int, easy: int, percent: int) -> None:
    admitted = decs.mix(mixed, easy, percent / 100.0)
    assert admitted == (easy if percent == 100 else min(easy, percent * mixed // (100 - percent)))


@FEW
@given(trees())
def test_leaf_weighted_local_gains_of_children_cancel(tree: tuple[list[int], list[float | None]]) -> None:
    parent, reward = tree
    nodes = range(len(parent))
    gains = treeps.advantages(parent, reward, w_global=0.0)
    leaves = np.array([value is not None for value in reward], dtype=int)
    for node in reversed(nodes[1:]):
        leaves[parent[node]] += leaves[node]
    for node in nodes:
        children = [child for child in nodes if parent[child] == node]
        assert abs(sum(leaves[child] * gains[child] for child in children)) < ROUNDING
    scaled = treeps.advantages(parent, reward, w_global=0.0, leaf_scale=True)
    np.testing.assert_allclose(scaled * np.sqrt(leaves), gains, atol=ROUNDING)
    assert treeps.values(parent, reward)[0] == pytest.approx(np.mean([value for value in reward if value is not None]))


@FEW
@example([(0, frozenset(), False), (0, frozenset(), False), (1, frozenset(), False)])
@given(st.lists(st.tuples(st.integers(0, 2), st.frozensets(st.integers(0, 3)), st.booleans()), max_size=10))
def test_pruning_keeps_one_of_each_kind_of_sibling(proposals: list[tuple[int, frozenset[int], bool]]) -> None:
    parent, seen, terminal = ([proposal[part] for proposal in proposals] for part in range(3))
    result = treeps.prune(parent, seen, terminal, tau=1.0, width=len(proposals))
    assert result["leaves"] == [index for index, done in enumerate(terminal) if done]
    kept = [(parent[index], seen[index]) for index in result["frontier"]]
    assert len(set(kept)) == len(kept)
    assert set(kept) == {(above, items) for above, items, done in proposals if not done}
    assert result["frontier"] == sorted(result["frontier"])


@FEW
@given(st.lists(st.integers(0, 2), max_size=10), st.integers(1, 6))
def test_a_narrow_frontier_takes_from_the_parents_in_turn_and_lists_by_index(parent: list[int], width: int) -> None:
    distinct = [[index] for index in range(len(parent))]
    frontier = treeps.prune(parent, distinct, [False] * len(parent), width=width)["frontier"]
    assert frontier == sorted(frontier)
    assert len(frontier) == min(width, len(parent))
    taken, offered = Counter(parent[index] for index in frontier), Counter(parent)
    for label in offered:
        assert [index for index in frontier if parent[index] == label] == [
            index for index, above in enumerate(parent) if above == label
        ][: taken[label]]
        # Nobody with proposals left has fallen more than one behind.
        assert taken[label] == offered[label] or taken[label] >= max(taken.values()) - 1


@FEW
@given(st.lists(st.lists(st.integers(0, 2), max_size=3), min_size=1, max_size=8), st.data())
def test_sibling_advantages_of_a_family_cancel(paths: list[list[int]], data: st.DataObject) -> None:
    advantages = vstar.sibling_advantages(paths, data.draw(vectors(len(paths))))
    node = {
        (tuple(path[:depth]), turn): row[depth]
        for path, row in zip(paths, advantages, strict=True)
        for depth, turn in enumerate(path)
    }
    for prefix in {prefix for prefix, _ in node}:
        assert abs(sum(value for (family, _), value in node.items() if family == prefix)) < 1e-6


@FEW
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=6), st.floats(0.0, 1.0))
def test_full_traces_are_returns_less_values(pairs: list[tuple[float, float]], gamma: float) -> None:
    rewards, values = np.array(pairs).T
    full = ppr.gae(rewards, values, gamma=gamma, lam=1.0)
    np.testing.assert_allclose(full["returns"], core.turn_returns(rewards, gamma), atol=ROUNDING)
    np.testing.assert_allclose(full["adv"], full["returns"] - values, atol=ROUNDING)
    one_step = ppr.gae(rewards, values, gamma=gamma, lam=0.0)
    np.testing.assert_allclose(one_step["returns"], vstar.td(values, rewards, gamma)["targets"], atol=ROUNDING)


@FEW
@given(st.lists(st.one_of(st.none(), UNIT), max_size=6))
def test_shifted_rewards_have_the_sign_of_the_outcome(process: list[float | None]) -> None:
    assert (ppr.renorm(process, 1.0) >= 0.0).all()
    assert (ppr.renorm(process, 0.0) <= 0.0).all()


# Matching


@FEW
@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_the_best_matching_beats_the_greedy_one_in_any_order(calls: int, scripted: int, data: st.DataObject) -> None:
    sim = data.draw(arrays(np.float64, (calls, scripted), elements=UNIT))
    best, greedy = matchtir.assign(sim), matchtir.assign(sim, "greedy")
    assert best.sum() >= greedy.sum() - 1e-8
    order = data.draw(st.permutations(range(calls)))
    columns = data.draw(st.permutations(range(scripted)))
    assert matchtir.assign(sim[order][:, columns]).sum() == pytest.approx(best.sum(), abs=1e-8)
    soft = matchtir.assign(sim, "sinkhorn")
    np.testing.assert_allclose(matchtir.assign(sim[order][:, columns], "sinkhorn"), soft[order], atol=1e-7)
    np.testing.assert_allclose(matchtir.assign(sim, "sinkhorn", rescale=True), calls * soft, atol=1e-7)
    assert soft.sum() <= 1.0 + ROUNDING


def test_of_tied_matchings_the_one_in_which_earlier_calls_earn_more() -> None:
    for mode in ("hungarian", "greedy"):
        np.testing.assert_array_equal(matchtir.assign([[0.7], [0.7], [0.7]], mode), [0.7, 0.0, 0.0])
    np.testing.assert_array_equal(matchtir.assign([[0.5, 1.0], [0.0, 0.0], [0.5, 1.0]]), [1.0, 0.0, 0.5])


CALLS = st.fixed_dictionaries(
    {"name": st.sampled_from(["payoff", "Payoff", "observe"]), "args": st.dictionaries(st.sampled_from("abc"), VALUES)}
)


@FEW
@given(CALLS, CALLS, st.floats(0.0, 4.0))
def test_similarity_is_one_for_the_same_call_and_grows_with_tolerance(
    pred: dict[str, Any], gold: dict[str, Any], tolerance: float
) -> None:
    assert matchtir.similarity(gold, gold) == pytest.approx(1.0)
    assert 0.0 <= matchtir.similarity(pred, gold) <= matchtir.similarity(pred, gold, tolerance) <= 1.0


# Rewards and weights of batches


@FEW
@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=1, max_size=12))
def test_batch_bonuses_sum_to_the_share_of_collisions(answers: list[int | None]) -> None:
    collisions = sum(n * (n - 1) for n in Counter(answers).values())
    assert exploration.batch(answers).sum() == pytest.approx(-collisions / len(answers))


@FEW
@given(st.lists(st.integers(0, 30), min_size=1, max_size=8))
def test_historical_bonuses_fall_with_visits(counts: list[int]) -> None:
    naive = exploration.historical(counts, "naive")
    assert ((naive > 0.0) & (naive <= 1.0)).all()
    assert (np.diff(naive[np.argsort(counts)]) <= 0.0).all()
    mean = exploration.historical(counts, "mean")
    others = [np.delete(naive, index).mean() if len(counts) > 1 else naive[index] for index in range(len(counts))]
    np.testing.assert_allclose(mean, naive - others, atol=ROUNDING)


@FEW
@given(grouped(st.sampled_from([0.0, 1.0])))
def test_bnpo_with_a_flat_density_is_a_mean_baseline(sample: tuple[FloatArray, list[int]]) -> None:
    reward, group = sample
    rates = [np.mean(of_group(reward, group, label)) for label in dict.fromkeys(group)]
    adv = bnpo.advantages(reward, group)
    if bnpo.beta_params(rates) == {"alpha": 1.0, "beta": 1.0}:
        np.testing.assert_allclose(adv, core.group_center(reward, group), atol=ROUNDING)
    assert ((adv * core.group_center(reward, group)) >= 0.0).all()
    assert np.isfinite(adv).all()


def test_bnpo_fitted_to_three_halves_is_grpo_up_to_a_constant() -> None:
    rates = np.array([0.125, 0.5, 0.875, 0.375, 0.625, 0.5])
    offset = rates - 0.5
    rates = 0.5 + offset * np.sqrt(0.25 / 4.0 / rates.var(ddof=1))  # c = 3, mean ½: α = β = 3/2
    assert bnpo.beta_params(rates) == {"alpha": pytest.approx(1.5), "beta": pytest.approx(1.5)}
    reward = np.repeat(rates, 2) + np.tile([-0.01, 0.01], rates.size)
    group = np.repeat(np.arange(rates.size), 2)
    weight = bnpo.advantages(reward, group)[1::2] / 0.01
    np.testing.assert_allclose(weight * np.sqrt(rates * (1.0 - rates)), np.pi / 8.0, rtol=1e-6)


@FEW
@given(grouped(UNIT))
def test_decomposed_rewards_that_agree_change_nothing(sample: tuple[FloatArray, list[int]]) -> None:
    reward, group = sample
    both = bnpo.decomposed([reward, 2.0 * reward - 1.0], group, [[0.0, 1.0], [-1.0, 1.0]])
    np.testing.assert_allclose(both, bnpo.advantages(reward, group), atol=1e-8)


@FEW
@given(grouped(st.sampled_from([0.0, 1.0])), st.data())
def test_copo_gates_open_with_disagreement_only(sample: tuple[FloatArray, list[int]], data: st.DataObject) -> None:
    reward, group = sample
    answers = data.draw(st.lists(st.sampled_from(["a", "b", None]), min_size=len(group), max_size=len(group)))
    credit = copo.advantages(reward, answers, group)
    prompts = [group.index(label) for label in set(group)]
    assert abs(credit["global"][prompts].sum()) < 1e-6
    assert ((credit["w_local"] >= 0.0) & (credit["w_local"] < 1.0)).all()
    assert (credit["entropy"] >= -1e-7).all()
    assert (
        credit["group_score"] <= copo.advantages(reward, answers, group, consistency=False)["group_score"] + 1e-7
    ).all()
    for label in set(group):
        if len(set(of_group(answers, group, label))) == 1:
            assert max(of_group(credit["w_local"], group, label)) < 1e-12


@FEW
@given(grouped(st.sampled_from([0.0, 1.0])))
def test_copo_has_no_contrast_between_prompts_in_a_batch_of_one(sample: tuple[FloatArray, list[int]]) -> None:
    reward, answers = sample
    assert not copo.advantages(reward, answers, ["q"] * len(answers))["global"].any()


# Tournaments


@st.composite
def score_tables(draw: st.DrawFn, largest: int = 9) -> FloatArray:
    size = draw(st.integers(1, largest))
    distinct = draw(st.lists(st.integers(0, 10**6), min_size=size**2, max_size=size**2, unique=True))
    return np.array(distinct, dtype=np.float64).reshape(size, size)


@FEW
@given(score_tables(), st.data())
def test_ranks_follow_rollouts_in_any_order(score: FloatArray, data: st.DataObject) -> None:
    size = len(score)
    anywhere = data.draw(st.permutations(range(size)))
    behind_anchor = [0, *data.draw(st.permutations(range(1, size)))]
    for kernel, order in (
        (arena.round_robin, anywhere),
        (arena.anchor, behind_anchor),
        (arena.single_elimination, behind_anchor),
        (lambda table: arena.single_elimination(table, byes="compact"), behind_anchor),
    ):
        adv = kernel(score)["adv"]
        np.testing.assert_allclose(kernel(score[np.ix_(order, order)])["adv"], adv[order], atol=ROUNDING)
        assert abs(adv.sum()) < 1e-6


@FEW
@given(score_tables(), st.sampled_from(["proper", "compact"]))
def test_a_rollout_that_beats_everyone_wins_the_knockout(score: FloatArray, byes: str) -> None:
    champion = len(score) - 1
    score[champion] += 2e6
    result = arena.single_elimination(score, byes)
    assert sorted(result["order"]) == list(range(len(score)))
    assert result["order"][0] == champion
    assert result["matches"] == 2 * len(score) - 2


@FEW
@given(st.integers(1, 7), st.data())
def test_equal_scores_get_equal_advantages_in_any_order(size: int, data: st.DataObject) -> None:
    few = st.sampled_from([0.1, 0.2, 0.7])
    score = data.draw(arrays(np.float64, (size, size), elements=few))
    against_anchor = np.array([statistics.mean(score[0, 1:].tolist()) if size > 1 else 0.0, *score[1:, 0]])
    anywhere = data.draw(st.permutations(range(size)))
    behind_anchor = [0, *data.draw(st.permutations(range(1, size)))]
    for tournament, worth, order in (
        (arena.round_robin, arena.round_robin(score)["wins"], anywhere),
        (arena.anchor, against_anchor, behind_anchor),
    ):
        adv = tournament(score)["adv"]
        np.testing.assert_allclose(tournament(score[np.ix_(order, order)])["adv"], adv[order], atol=ROUNDING)
        for i, j in combinations(range(size), 2):
            assert np.sign(adv[i] - adv[j]) == np.sign(worth[i] - worth[j])


def test_who_leaves_the_knockout_in_the_same_round_with_the_same_average_gets_the_same() -> None:
    strength = np.array([4.0, 3.0, 1.0, 1.0])
    adv = arena.single_elimination(np.repeat(strength[:, None], 4, axis=1))["adv"]
    assert adv[0] > adv[1] > adv[2] == adv[3]


def test_with_compact_byes_who_is_left_over_stands_first_in_the_next_round() -> None:
    # The stronger always wins. Seed 0 meets 3, 4 meets 1, and 2 is left over; then 2 meets 0, and 1 is left over.
    strength = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    score = np.repeat(strength[:, None], 5, axis=1)
    assert arena.single_elimination(score, "compact")["order"].tolist() == [0, 1, 2, 3, 4]


def test_of_equal_scores_the_higher_seed_advances() -> None:
    assert arena.single_elimination(np.full((4, 4), 5.0))["order"].tolist() == [0, 1, 3, 2]


def test_the_diagonal_of_scores_may_be_absent() -> None:
    score = np.array([[np.nan, 5.0], [7.0, np.nan]])
    assert arena.single_elimination(score)["order"].tolist() == [1, 0]
    assert arena.round_robin(score)["wins"].tolist() == [0.0, 1.0]


# Rules of selection, schedules and welfare


@FEW
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.data(), st.integers(0, 5))
def test_intervention_examples_drop_the_faulty_step_and_what_follows(
    lengths: list[int], data: st.DataObject, correction: int
) -> None:
    error = data.draw(st.integers(0, len(lengths) - 1))
    example = intervention.sft_mask(lengths, error, correction)
    assert example["prefix_tokens"] + example["dropped_tokens"] == sum(lengths)
    assert example["dropped_tokens"] >= lengths[error]
    assert len(example["loss_mask"]) == example["length"] == example["prefix_tokens"] + correction


@FEW
@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 4)), st.booleans()), max_size=8), st.integers(0, 4))
def test_scope_repairs_failures_with_a_good_prefix(members: list[tuple[int | None, bool]], most: int) -> None:
    errors, correct = [member[0] for member in members], [member[1] for member in members]
    chosen = scope.select(errors, [5] * len(members), correct, min_prefix=0.4, max_fix=most)
    eligible = [index for index, (error, right) in enumerate(members) if not right and (error or 0) >= 2]
    assert chosen == sorted(eligible, key=lambda index: -(errors[index] or 0))[:most]


def test_scope_cannot_repair_what_never_was_right() -> None:
    assert scope.select([0, 1], [4, 4], [False, False], min_prefix=0.0, max_fix=2) == [1]


@FEW
@given(st.lists(VALUES, min_size=1, max_size=8), st.floats(0.0, 3.0))
def test_path_rewards_stay_between_their_steps(steps: list[float], slope: float) -> None:
    assert min(steps) - ROUNDING <= p2s.path_reward(steps, slope) <= max(steps) + ROUNDING
    assert -0.9 <= p2s.path_reward(steps, slope, clip=(-0.9, 1.0)) <= 1.0
    assert p2s.path_reward(steps, 0.0) == pytest.approx(np.mean(steps))


def test_a_right_but_malformed_member_does_not_bring_outcome_rewards() -> None:
    np.testing.assert_array_equal(p2s.group_rewards([False, True], [True, False], [0.3, 0.2]), [-1.0, 0.2])


@FEW
@given(st.lists(UNIT, min_size=1, max_size=5))
def test_welfare_lies_between_the_utilities(utilities: list[float]) -> None:
    welfare = gtalign.welfare(utilities)
    assert min(utilities) <= welfare + ROUNDING
    assert welfare <= np.mean(utilities) + 1e-4 + ROUNDING
    assert gtalign.welfare([utility - 5.0 for utility in utilities]) == pytest.approx(1e-4)


@FEW
@given(vectors(3), vectors(3), vectors(3), st.floats(0.1, 10.0))
def test_game_welfare_ignores_units_of_payoff(
    payoff: FloatArray, floor: FloatArray, ideal: FloatArray, unit: float
) -> None:
    result = gtalign.game_welfare(payoff, floor, ideal)
    assert ((result["utility"] >= 0.0) & (result["utility"] <= 1.0)).all()
    assert (result["utility"][ideal <= floor] == 0.0).all()
    rescaled = gtalign.game_welfare(unit * payoff, unit * floor, unit * ideal)
    np.testing.assert_allclose(rescaled["utility"], result["utility"], atol=1e-7)


@FEW
@given(vectors(4), vectors(4))
def test_qualities_of_matrices_are_bounded(user: FloatArray, model: FloatArray) -> None:
    matrix = {index: {"user": u, "LLM": m} for index, (u, m) in enumerate(zip(user, model, strict=True))}
    assert 0.0 <= gtalign.payoff_quality(matrix) <= 1.0
    assert gtalign.nash_choice(matrix) in matrix
    assert 0.0 <= gtalign.payoff_calibration(user, model) <= 1.0
    assert gtalign.payoff_calibration(user, user) == 1.0


def test_two_losses_do_not_multiply_to_a_gain() -> None:
    assert gtalign.nash_choice({"DD": {"user": -9.0, "LLM": -9.0}, "CC": {"user": 1.0, "LLM": 1.0}}) == "CC"


def test_malformed_output_scores_nothing() -> None:
    assert gtalign.scores(1.0, False, 1.0, 80, 400, 600)["score"] == 0.0


@FEW
@given(VALUES, st.floats(-2.0, 2.0))
def test_a_chain_of_two_links_is_one_link_after_the_other(x: float, scale: float) -> None:
    link = {"intercept": 0.5, "slope": 0.8, "lo": -2.0, "hi": 2.0}
    first = h1.compose([link], [], x)["answer"]
    chain = h1.compose([link, link], [[scale, 1.0]], x)
    assert chain["answer"] == pytest.approx(h1.compose([link], [], scale * first + 1.0)["answer"])


@FEW
@given(st.integers(1, 6), st.integers(0, 400), st.lists(st.sampled_from([0.0, 1.0]), max_size=5))
def test_horizons_grow_by_one_at_most_and_never_shrink(stage: int, steps: int, success: list[float]) -> None:
    following = h1.stage(stage, steps, success, max_stage=6, min_steps=50, max_steps=300)
    assert following in (stage, min(stage + 1, 6))
    if steps >= 300:
        assert following == min(stage + 1, 6)
    if steps < 50:
        assert following == stage
