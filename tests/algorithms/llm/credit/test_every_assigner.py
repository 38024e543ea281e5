"""What holds of the credit of every method, on a batch with everything that goes wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest

from coopgym.algorithms.llm.method import credit as methods
from coopgym.algorithms.llm.method.minibatch import minibatch, totals
from coopgym.algorithms.llm.method.slots import CreditAssigner
from coopgym.algorithms.llm.play.trajectories import Batch
from tests.algorithms.llm.credit.handmade import annotate, batch_of, rollout

ASSIGNERS = [
    methods.GroupZ(),
    methods.GroupCenter(),
    methods.LeaveOneOut(),
    methods.BatchZ(),
    methods.BetaWeight(),
    methods.BetaWeight(decomposed=("outcome", "welfare", "format")),
    methods.P2S(),
    methods.GTAlign(),
    methods.ArenaRL(),
    methods.SCOPE(),
    methods.OutcomeExploration(batch=True),
    methods.IGPO(),
    methods.IGPO(norm="joint", belief="prob", gamma=0.9),
    methods.SIOP(),
    methods.MatchTIR(),
    methods.ProRAG(),
    methods.PPRReturns(),
    methods.SPAE(),
    methods.DECS(),
    methods.COPO(),
    methods.TreePS(),
    methods.TreePS(shared="scaled"),
    methods.VStar(),
    methods.PPO(whiten=True),
    methods.PPR(per_turn=True),
    methods.COPO(reward="welfare"),
    methods.OutcomeExploration(reward="rank", history="mean"),
    methods.BetaWeight(reward="path", low=-1.0),
]
FLAT_IS_SILENT = (
    methods.GroupZ,
    methods.GroupCenter,
    methods.LeaveOneOut,
    methods.BetaWeight,
    methods.TreePS,
)
every = pytest.mark.parametrize("assigner", ASSIGNERS, ids=lambda each: type(each).__name__)


@every
def test_only_own_tokens_have_credit(assigner: CreditAssigner, batch: Batch) -> None:
    credit = assigner.assign(batch)
    for channel, rows in credit.adv.items():
        for member, row, weight, mask in zip(
            batch.trajectories, rows, credit.weight[channel], credit.mask, strict=True
        ):
            assert row.shape == weight.shape == mask.shape == member.ids.shape
            assert np.isfinite(row).all()
            assert not row[~member.mask].any()
            assert not mask[~member.mask].any()
    assert any(row.any() for rows in credit.adv.values() for row in rows)
    assert all(np.isfinite(value) for value in credit.metrics.values())


@every
def test_credit_fits_into_minibatches(assigner: CreditAssigner, batch: Batch) -> None:
    credit, members = assigner.assign(batch), [5, 0]
    part = minibatch(batch.trajectories, credit, members, totals(credit, members))
    assert part.adv.keys() == credit.adv.keys()
    assert all(table.shape == part.logp_old.shape for table in part.adv.values())


@every
def test_groups_may_come_in_any_order(assigner: CreditAssigner, batch: Batch) -> None:
    backwards = Batch(batch.groups[::-1], batch.step)
    order = np.argsort([id(member) for member in batch.trajectories])
    other = np.argsort([id(member) for member in backwards.trajectories])
    first, second = replace(assigner).assign(batch), replace(assigner).assign(backwards)
    for channel, rows in first.adv.items():
        for i, j in zip(order, other, strict=True):
            np.testing.assert_allclose(rows[i], second.adv[channel][j], rtol=1e-9, atol=1e-9)


@every
def test_a_missing_signal_is_named(assigner: CreditAssigner, batch: Batch) -> None:
    for signal in sorted(assigner.reads):
        kept = [member.signals.pop(signal) for member in batch.trajectories]
        with pytest.raises(ValueError, match=repr(signal)):
            assigner.assign(batch)
        for member, value in zip(batch.trajectories, kept, strict=True):
            member.signals[signal] = value


@every
def test_state_survives_json(assigner: CreditAssigner, batch: Batch) -> None:
    old = replace(assigner)
    old.assign(batch)
    new = replace(assigner)
    new.load_state_dict(json.loads(json.dumps(old.state_dict())))
    for first, second in zip(*(each.assign(batch).adv.values() for each in (old, new)), strict=True):
        assert all(np.array_equal(row, other) for row, other in zip(first, second, strict=True))


@pytest.mark.parametrize(
    "assigner",
    [each for each in ASSIGNERS if type(each) in FLAT_IS_SILENT and each.reads <= {"welfare"}],
    ids=lambda each: type(each).__name__,
)
def test_equal_rewards_and_groups_of_one_teach_nothing(assigner: CreditAssigner, batch: Batch) -> None:
    for member in batch.trajectories:
        member.signals["welfare"] = 0.3
    advantages = assigner.assign(batch).adv["main"]
    assert all(not row.any() for row in advantages[4:])


@pytest.mark.parametrize(
    "assigner",
    [
        methods.IGPO(),
        methods.SIOP(),
        methods.MatchTIR(),
        methods.ProRAG(),
        methods.PPRReturns(),
        methods.DECS(),
        methods.VStar(),
        methods.P2S(),
        methods.ArenaRL(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_single_turn_alone_teaches_nothing(assigner: CreditAssigner) -> None:
    batch = annotate(batch_of([rollout("a", (3,), outcome=0.7)]), np.random.default_rng(0))
    credit = assigner.assign(batch)
    assert not any(row.any() for rows in credit.adv.values() for row in rows)


def test_every_method_is_covered() -> None:
    tested = {type(each).__name__ for each in ASSIGNERS}
    parts = {"Reward", "PathReward", "Rank", "reward_of"}
    assert tested | parts | {"Imitate"} == set(methods.__all__)
