import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.algorithms.llm.method.signals import GoldBelief, GoldPath, SelfDiff, StepModel
from coopgym.algorithms.llm.method.signals.gold_path import privileged_hint
from coopgym.algorithms.llm.method.transforms import InterventionPatch, RejectionFilter, Repair
from coopgym.algorithms.llm.method.transforms.patch import leaks
from coopgym.algorithms.llm.play.conversation import Decoding
from tests.algorithms.llm.parrot import GOLD, Parrot, batch, group, services, task


def teachable(text: str) -> str:
    """Submit the right level once a try of .40 has been seen, else a wrong one."""
    return "submit .50" if "payoff .40" in text else "submit .90"


def marked(member, flags):
    """The text of some tokens of a rollout."""
    return Parrot().tokenizer.decode(member.ids[flags].tolist())


def diffed(where, *dialogues, help_=None):
    made = group(where, *dialogues)
    SelfDiff().annotate(batch(made), help_ or services())
    return made


def scored(where, *dialogues, **options):
    made = group(where, *dialogues)
    StepModel(**options).annotate(batch(made), services())
    return made


def test_a_failed_rollout_becomes_its_own_beginning_and_a_correction():
    help_ = services(Parrot(teachable))
    where = task()
    before = diffed(
        where, ["observe", "payoff .70 .25", "payoff .90 .25", "submit .90"], ["submit .10"], ["submit .20"]
    )
    (after,) = InterventionPatch(continuations=3, per_group=2).apply([before], help_)
    assert len(before.members) == 3
    first, second = after.members
    assert [turn.key[0][0] for turn in first.turns] == ["observe", "payoff", "payoff"]
    assert marked(first, first.off_policy) == "payoff .40 .25"
    assert np.array_equal(first.ids[: first.turns[1].end], before.members[0].ids[: first.turns[1].end])
    assert marked(first, first.mask) == "observepayoff .70 .25payoff .40 .25"
    assert marked(second, second.mask) == marked(second, second.off_policy) == "payoff .40 .25"
    assert (first.outcome, first.answer) == (1.0, None)
    assert help_.extra_tokens > 0


def test_corrections_that_help_nobody_are_discarded():
    made = diffed(task(), ["submit .90"], ["submit .10"])
    assert InterventionPatch(continuations=2).apply([made], services(Parrot(lambda text: "submit .90"))) == []
    unsure = services(Parrot(teachable, lambda text: 5.0))
    unsure.decoding = Decoding(24, 1.0)
    assert InterventionPatch(continuations=4, min_successes=4).apply([made], unsure) == []


def test_groups_with_a_success_are_left_out_unless_wanted():
    made = diffed(task(), ["submit .50"], ["submit .10"])
    help_ = services(Parrot(teachable))
    assert InterventionPatch(continuations=1).apply([made], help_) == []
    (after,) = InterventionPatch(continuations=1, hard_only=False).apply([made], help_)
    assert len(after.members) == 1


def test_corrections_that_tell_the_level_are_discarded():
    made = diffed(task(), ["payoff .40 .25\npayoff .60 .25", "submit .90"])
    (member,) = made.members
    assert member.signals["correction"] == "payoff .50 .25"
    assert InterventionPatch(continuations=1).apply([made], services(Parrot(lambda text: "submit .50"))) == []


@given(st.integers(0, 100), st.integers(0, 100))
def test_levels_are_recognised_however_they_are_written(level, other):
    gold = level / 100
    for text in (f"payoff {gold:.2f} .7", f"try {level}%", f"simulate .3,{gold:.3f} 2", f"{gold:.2f}".lstrip("0")):
        assert leaks(text, gold)
    assert leaks(f"payoff {other / 100:.2f}", gold) == (other == level)
    assert not leaks("no level at all", gold)


def test_a_nearly_right_rollout_is_finished_by_the_oracle_player():
    where, help_ = task(), services()
    before = scored(
        where,
        ["payoff .40 .25", "payoff .70 .25", "submit .90"],
        ["observe", "payoff .40 .25", "submit .90"],
        ["submit .90"],
        ["submit .50"],
    )
    originals = list(before.members)
    (after,) = Repair(max_fix=2).apply([before], help_)
    assert before.members == originals
    assert [member is original for member, original in zip(after.members, originals, strict=True)] == [
        False,
        False,
        True,
        True,
    ]
    for member, original in zip(after.members[:2], originals[:2], strict=True):
        assert member.correct
        kept = original.turns[2].start
        assert np.array_equal(member.ids[:kept], original.ids[:kept])
        assert not member.off_policy[:kept].any()
        assert np.array_equal(member.off_policy[kept:], member.mask[kept:])
        assert marked(member, member.off_policy).endswith(f"submit {GOLD:.2f}".replace("0.", "."))
    assert help_.extra_tokens == sum(
        len(member.ids) - original.turns[2].start
        for member, original in zip(after.members[:2], originals[:2], strict=True)
    )


def test_at_most_half_of_a_group_is_repaired():
    where = task()
    failed = ["payoff .40 .25", "submit .90"]
    (after,) = Repair(max_fix=5).apply([scored(where, failed, failed, failed)], services())
    assert [member.correct for member in after.members] == [True, False, False]
    (alone,) = Repair(max_fix=5).apply([scored(where, failed)], services())
    assert not alone.members[0].correct


def test_short_prefixes_and_repairs_without_room_are_left_alone():
    where = task()
    dialogues = (["payoff .40 .25", "submit .90"], ["submit .90"])
    (after,) = Repair(min_prefix=0.6).apply([scored(where, *dialogues)], services())
    assert not any(member.correct for member in after.members)
    made = scored(where, *dialogues)
    room = len(made.members[0].context(1)) + 5
    (after,) = Repair().apply([made], services(Parrot(context=room)))
    assert after.members[0] is made.members[0]


def test_repair_takes_an_unscored_answer_for_the_error():
    made = scored(task(), ["payoff .40 .25", "submit .90"], ["submit .50"], answers=False)
    (after,) = Repair().apply([made], services())
    assert after.members[0].correct


def test_only_right_rollouts_without_errors_are_imitated():
    where = task()
    made = scored(where, ["payoff .50 .25", "submit .50"], ["observe", "observe", "submit .50"], ["submit .90"])
    hopeless = scored(where, ["submit .90"])
    (after,) = RejectionFilter().apply([made, hopeless], services())
    assert after.members == made.members[:1]


@pytest.mark.parametrize("transform", [InterventionPatch(), Repair(), RejectionFilter()])
def test_missing_signals_are_told(transform):
    with pytest.raises(ValueError, match="signal"):
        transform.apply([group(task(), ["submit .90"])], services())
    assert transform.apply([], services()) == []


def test_no_training_context_holds_what_only_judges_know():
    """Whatever may be trained on reads as if nobody knew the oracle, but for what a helper submits itself."""
    where = task()
    help_ = services(Parrot(teachable))
    made = group(where, ["payoff .40 .25", "payoff .70 .25", "submit .90"], ["submit .10"])
    read = [(marked(member, ~member.mask), member.prompt_ids.tolist()) for member in made.members]
    signals = (SelfDiff(), StepModel(), GoldPath(chains=1), GoldBelief())
    for signal in signals:
        signal.annotate(batch(made), help_)
    assert read == [(marked(member, ~member.mask), member.prompt_ids.tolist()) for member in made.members]
    hint = privileged_hint(where).strip()
    for transform in (InterventionPatch(continuations=1), Repair()):
        for member in (member for each in transform.apply([made], help_) for member in each.members):
            text = help_.model.tokenizer.decode([*member.prompt_ids.tolist(), *member.ids.tolist()])
            assert hint not in text
            own = member.mask if member.off_policy is None else member.mask & ~member.off_policy
            assert f"{GOLD:.2f}"[1:] not in marked(member, own)
    (patched,) = InterventionPatch(continuations=1).apply([made], help_)[0].members
    assert f"{GOLD:.2f}"[1:] not in help_.model.tokenizer.decode(patched.ids.tolist())
