import re

import numpy as np
import pytest

from coopgym.algorithms.llm.method.signals import GoldPath
from coopgym.algorithms.llm.method.signals.gold_path import privileged_hint
from coopgym.algorithms.llm.play.trajectories import Group
from tests.algorithms.llm.parrot import Parrot, batch, group, played, services, task


def obedient(text: str) -> str:
    """Try and submit the level that is told before the prompt; without one, submit a wrong level."""
    told = re.match(r"The right level is 0(\.\d\d)\.", text)
    if told is None:
        return "submit .10"
    return f"submit {told[1]}" if "payoff" in text else f"payoff {told[1]} .25"


def test_paths_are_judged_where_nobody_is_right():
    where = task()
    hopeless = group(where, ["payoff .40 .25", "submit .10"], ["submit .20"], ["observe"])
    lucky = group(where, ["submit .50"], ["submit .10"])
    broken = Group(where, [played(where, "nonsense", "submit .50")])
    made = batch(hopeless, lucky, broken)
    help_ = services(Parrot(obedient, lambda text: 3.0))
    help_.decoding = help_.decoding.__class__(max_tokens=24, temperature=0.0)
    GoldPath(chains=2).annotate(made, help_)
    rewards = [member.signals["path_reward"] for member in made.trajectories]
    assert np.isfinite(rewards).all()
    assert all(rewards[:3])
    assert rewards[3:5] == [0.0, 0.0]
    assert rewards[5] != 0.0
    assert help_.extra_tokens > 0


def test_a_path_that_leads_into_the_chain_beats_one_that_does_not():
    """Segments before the answer count by what they add to the chain's probability over blanks of equal length."""

    def guided(text: str) -> str:
        return obedient(text) if text.startswith("The right") else ("submit .50" if ".40 .25" in text else "observe")

    where = task()
    made = batch(group(where, ["payoff .40 .25", "submit .10"], ["payoff .30 .25", "submit .10"]))
    help_ = services(Parrot(guided, lambda text: 3.0))
    help_.decoding = help_.decoding.__class__(max_tokens=24, temperature=0.0)
    GoldPath(chains=1).annotate(made, help_)
    good, bad = (member.signals["path_reward"] for member in made.trajectories)
    assert good > bad + 0.1


def test_without_a_usable_chain_the_answer_counts_alone():
    where = task()
    made = batch(group(where, ["payoff .40 .25", "submit .10"]))
    help_ = services(Parrot(lambda text: "nonsense", lambda text: 0.0))
    GoldPath(chains=1).annotate(made, help_)
    assert made.trajectories[0].signals["path_reward"] == pytest.approx(-np.log(257), rel=1e-6)


def test_the_same_seed_gives_the_same_rewards():
    def rewards():
        made = batch(group(task(), ["payoff .40 .25", "submit .10"], ["observe", "submit .20"]))
        GoldPath(chains=2, segments=1).annotate(made, services(Parrot(obedient, lambda text: 6.0)))
        return [member.signals["path_reward"] for member in made.trajectories]

    assert rewards() == rewards()


def test_chains_see_the_level_and_the_batch_never_does():
    where = task(decisions=2)
    hint = privileged_hint(where)
    assert "0.50" in hint
    seen = []

    def spying(text: str) -> str:
        seen.append(text)
        return obedient(text)

    help_ = services(Parrot(spying))
    made = batch(group(where, ["payoff .40 .25", "submit .10", "submit .10"]))
    before = [(member.prompt_ids.copy(), member.ids.copy()) for member in made.trajectories]
    GoldPath(chains=1).annotate(made, help_)
    assert any(text.startswith(hint) for text in seen)
    for member, (prompt, ids) in zip(made.trajectories, before, strict=True):
        assert np.array_equal(member.prompt_ids, prompt)
        assert np.array_equal(member.ids, ids)
