"""Objectives: equal to the kernels, additive over parts, differentiable in what learns and nothing else."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from coopgym.algorithms.llm.kernels import KERNELS
from coopgym.algorithms.llm.method.minibatch import MiniBatch, Totals
from coopgym.algorithms.llm.method.objectives import Clip, ClipWithCritic, Imitation, MixedPolicy
from coopgym.algorithms.llm.method.slots import Objective

B, L = 5, 7
AGGREGATIONS = ("token_mean", "seq_mean_token_mean", "seq_mean_token_sum", "seq_sum_const")
PLAIN = {"kl": 0.0, "entropy": 0.0}


def counted(mask: Tensor, weight: dict[str, Tensor]) -> Totals:
    weighted = {channel: int((mask & (each != 0.0)).sum()) for channel, each in weight.items()}
    return Totals(len(mask), int(mask.sum()), weighted)


def drawn(seed: int, channels: tuple[str, ...] = ("main",)) -> tuple[Tensor, MiniBatch]:
    """Draw log-probabilities and a minibatch; rollouts are ragged and read something between what they write."""
    rng = np.random.default_rng(seed)
    logp, old, reference = (torch.tensor(-rng.exponential(1.0, (B, L))) for _ in range(3))
    mask = torch.tensor((rng.random((B, L)) < 0.7) & (np.arange(L) < rng.integers(2, L + 1, (B, 1))))
    mask[:, 0] = True
    weight = {channel: torch.ones(B, L, dtype=torch.float64) for channel in channels}
    return logp.requires_grad_(), MiniBatch(
        logp_old=old,
        logp_ref=reference,
        mask=mask,
        off_policy=torch.tensor(rng.random((B, L)) < 0.3),
        adv={channel: torch.tensor(rng.normal(size=(B, L))) for channel in channels},
        weight=weight,
        returns=torch.tensor(rng.normal(size=(B, L))),
        totals=counted(mask, weight),
        values=torch.tensor(rng.normal(size=(B, L))).requires_grad_(),
        entropy=torch.tensor(rng.exponential(1.0, (B, L))).requires_grad_(),
    )


def value(objective: Objective, logp: Tensor, batch: MiniBatch) -> float:
    return objective.loss(logp, batch)[0].item()


def part(batch: MiniBatch, rows: slice) -> MiniBatch:
    """Return some rows, with the totals of all."""

    def cut(entry: Any) -> Any:
        if isinstance(entry, dict):
            return {name: table[rows] for name, table in entry.items()}
        return entry[rows] if isinstance(entry, Tensor) else entry

    return replace(batch, **{name: cut(getattr(batch, name)) for name in batch.__dataclass_fields__})


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize(("dual_clip", "kl"), [(None, 0.0), (1.5, 0.04)])
def test_clip_equals_the_kernel(aggregation: str, dual_clip: float | None, kl: float) -> None:
    logp, batch = drawn(1)
    norm_len = 4 if aggregation == "seq_sum_const" else None
    objective = Clip(aggregation=aggregation, norm_len=norm_len, dual_clip=dual_clip, kl=kl, eps_low=0.1)
    expected = KERNELS["core.clip_loss"](
        logp.detach().numpy(),
        batch.logp_old.numpy(),
        batch.adv["main"].numpy(),
        batch.mask.numpy(),
        eps_low=0.1,
        eps_high=0.28,
        dual_clip=dual_clip,
        agg=aggregation,
        norm_len=norm_len,
        logp_ref=batch.logp_ref.numpy() if batch.logp_ref is not None else None,
        kl_coef=kl,
    )
    assert value(objective, logp, batch) == pytest.approx(expected, rel=1e-9)
    assert objective.needs_reference == (kl > 0.0)


@pytest.mark.parametrize("aggregation", AGGREGATIONS[:3])
def test_two_weighted_channels_equal_the_kernel_of_copo(aggregation: str) -> None:
    logp, batch = drawn(2, ("local", "global"))
    numbers = torch.randn(2, B, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gate = torch.linspace(0.0, 1.0, B, dtype=torch.float64)[:, None]
    batch = replace(
        batch,
        adv={name: each.expand(B, L) for name, each in zip(("local", "global"), numbers, strict=True)},
        weight={"local": gate.expand(B, L), "global": (1.0 - gate).expand(B, L)},
    )
    expected = KERNELS["copo.loss"](
        logp.detach().numpy(),
        batch.logp_old.numpy(),
        *numbers[..., 0].numpy(),
        gate[:, 0].numpy(),
        batch.mask.numpy(),
        agg=aggregation,
    )
    objective = Clip(aggregation=aggregation, kl=0.0)
    assert value(objective, logp, batch) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("aggregation", ["token_mean", "seq_mean_token_mean"])
def test_a_channel_of_its_own_averages_over_its_own_tokens(aggregation: str) -> None:
    logp, batch = drawn(3, ("main", "sibling"))
    some = torch.arange(L).expand(B, L) % 2 == 0
    weight = {"main": batch.weight["main"], "sibling": some.double()}
    batch = replace(batch, weight=weight, totals=counted(batch.mask, weight))
    common: dict[str, Any] = {"eps_low": 0.2, "eps_high": 0.28, "dual_clip": 3.0, "agg": aggregation}
    expected = sum(
        KERNELS["core.clip_loss"](
            logp.detach().numpy(), batch.logp_old.numpy(), batch.adv[channel].numpy(), mask.numpy(), **common
        )
        for channel, mask in (("main", batch.mask), ("sibling", batch.mask & some))
    )
    objective = Clip(aggregation=aggregation, own=("sibling",), kl=0.0)
    assert value(objective, logp, batch) == pytest.approx(expected, rel=1e-9)
    assert value(replace(objective, own=()), logp, batch) != pytest.approx(expected, rel=1e-3)


def test_mixed_policy_equals_the_kernel() -> None:
    logp, batch = drawn(4)
    numbers = torch.linspace(-1.0, 1.0, B, dtype=torch.float64)
    batch = replace(batch, adv={"main": numbers[:, None].expand(B, L)})
    expected = KERNELS["scope.loss"](
        logp.detach().numpy(),
        batch.logp_old.numpy(),
        numbers.numpy(),
        batch.mask.numpy(),
        batch.off_policy.numpy(),
        gamma=0.3,
    )
    assert value(MixedPolicy(gamma=0.3), logp, batch) == pytest.approx(expected, rel=1e-9)


def test_old_probabilities_of_a_helper_do_not_matter() -> None:
    logp, batch = drawn(4)
    other = replace(batch, logp_old=torch.where(batch.off_policy, -99.0, batch.logp_old))
    assert MixedPolicy().loss(logp, batch)[1] == MixedPolicy().loss(logp, other)[1]
    assert value(MixedPolicy(), logp, batch) == value(MixedPolicy(), logp, other)


def test_imitation_equals_the_kernel() -> None:
    logp, batch = drawn(5)
    expected = KERNELS["int.sft_loss"](logp.detach().numpy().ravel(), batch.mask.numpy().ravel())
    assert value(Imitation(), logp, batch) == pytest.approx(expected, rel=1e-9)


def test_the_critic_regresses_on_returns() -> None:
    logp, batch = drawn(6)
    assert batch.values is not None
    assert batch.returns is not None
    error = ((batch.values - batch.returns)[batch.mask] ** 2).mean().item() / 2.0
    total, metrics = ClipWithCritic(value_weight=0.1, **PLAIN).loss(logp, batch)
    assert total.item() == pytest.approx(value(Clip(**PLAIN), logp, batch) + 0.1 * error)
    assert metrics["value_loss"] == pytest.approx(error)


def test_entropy_is_rewarded() -> None:
    logp, batch = drawn(7)
    assert batch.entropy is not None
    mean = batch.entropy[batch.mask].mean().item()
    total, metrics = Clip(kl=0.0, entropy=0.1).loss(logp, batch)
    assert total.item() == pytest.approx(value(Clip(kl=0.0), logp, batch) - 0.1 * mean)
    assert metrics["entropy"] == pytest.approx(mean)


@pytest.mark.parametrize(
    "objective",
    [
        *(Clip(aggregation=each, norm_len=9, own=("main",)) for each in AGGREGATIONS),
        MixedPolicy(kl=0.1),
        ClipWithCritic(entropy=0.01),
        Imitation(),
    ],
    ids=lambda each: f"{type(each).__name__}-{getattr(each, 'aggregation', '')}",
)
def test_parts_add_up_to_the_whole(objective: Objective) -> None:
    logp, batch = drawn(8)
    rows = (slice(0, 2), slice(2, B))
    parts = [objective.loss(logp[each], part(batch, each)) for each in rows]
    whole, metrics = objective.loss(logp, batch)
    assert sum(loss.item() for loss, _ in parts) == pytest.approx(whole.item(), rel=1e-9)
    for name, number in metrics.items():
        assert sum(each[name] for _, each in parts) == pytest.approx(number, rel=1e-9)
    (found,) = torch.autograd.grad(whole, logp, retain_graph=True)
    (added,) = torch.autograd.grad(parts[0][0] + parts[1][0], logp)
    torch.testing.assert_close(added, found)


def test_gradients_reach_counted_tokens_of_the_policy_only() -> None:
    logp, batch = drawn(9)
    total, _ = Clip(dual_clip=None).loss(logp, batch)
    (gradient,) = torch.autograd.grad(total, logp)
    assert not gradient[~batch.mask].any()
    assert gradient[batch.mask].any()


def test_policy_and_critic_do_not_move_each_other() -> None:
    logp, batch = drawn(9)
    assert batch.values is not None
    assert batch.returns is not None
    total, _ = ClipWithCritic(value_weight=0.5).loss(logp, batch)
    of_policy, of_critic = torch.autograd.grad(total, (logp, batch.values))
    torch.testing.assert_close(of_policy, torch.autograd.grad(Clip().loss(logp, batch)[0], logp)[0])
    error = torch.where(batch.mask, batch.values - batch.returns, 0.0)
    torch.testing.assert_close(of_critic, 0.5 * error / batch.totals.tokens)


def test_the_first_step_follows_the_policy_gradient() -> None:
    logp, batch = drawn(10)
    batch = replace(batch, logp_old=logp.detach())
    total, metrics = Clip(kl=0.0).loss(logp, batch)
    (gradient,) = torch.autograd.grad(total, logp)
    torch.testing.assert_close(gradient, torch.where(batch.mask, -batch.adv["main"], 0.0) / batch.totals.tokens)
    assert metrics["outside_clip"] == 0.0
    assert metrics["kl_to_old"] == 0.0


def test_impossible_ratios_stay_finite() -> None:
    logp, batch = drawn(11)
    batch = replace(batch, logp_old=batch.logp_old.float() - 1e4, logp_ref=None)
    objective = Clip(kl=0.0, dual_clip=None)
    total, metrics = objective.loss(logp.float(), batch)
    (gradient,) = torch.autograd.grad(total, logp)
    assert torch.isfinite(total)
    assert torch.isfinite(gradient).all()
    assert all(np.isfinite(number) for number in metrics.values())


def test_nothing_that_counts_is_no_loss() -> None:
    logp, batch = drawn(12)
    empty = torch.zeros_like(batch.mask)
    batch = replace(batch, mask=empty, totals=counted(empty, batch.weight))
    for objective in (Clip(), MixedPolicy(), ClipWithCritic(), Imitation()):
        assert value(objective, logp, batch) == 0.0


@pytest.mark.parametrize(
    ("objective", "lacks"),
    [
        (Clip(kl=0.1), {"logp_ref": None}),
        (Clip(kl=0.0, entropy=0.1), {"entropy": None}),
        (ClipWithCritic(kl=0.0), {"values": None}),
        (ClipWithCritic(kl=0.0), {"returns": None}),
    ],
)
def test_what_the_minibatch_lacks_is_named(objective: Objective, lacks: dict[str, None]) -> None:
    logp, batch = drawn(13)
    with pytest.raises(ValueError, match="which the minibatch lacks"):
        objective.loss(logp, replace(batch, **lacks))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"aggregation": "mean"}, "aggregation='mean'"),
        ({"aggregation": "seq_sum_const"}, "norm_len=None"),
        ({"dual_clip": 0.5}, "dual_clip"),
        ({"eps_low": 1.5}, "eps_low=1.5"),
        ({"kl": -0.1}, "kl=-0.1"),
    ],
)
def test_wrong_parameters_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Clip(**wrong)
