"""Samplers: what the members of a group share, and what their trees look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from coopgym.algorithms.llm.method.curricula import Uniform
from coopgym.algorithms.llm.method.samplers.independent import Independent
from coopgym.algorithms.llm.method.samplers.match import Matches
from coopgym.algorithms.llm.method.samplers.monte_carlo import MonteCarloTree
from coopgym.algorithms.llm.method.samplers.tree import BreadthTree
from coopgym.algorithms.llm.method.samplers.value_guided import ValueGuidedTree
from coopgym.algorithms.llm.method.slots import Sampler
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.models import SmallModel
from coopgym.algorithms.llm.models.value_head import ValueHead
from coopgym.algorithms.llm.play.conversation import Decoding
from coopgym.algorithms.llm.play.tasks import Task, TaskSettings
from coopgym.algorithms.llm.play.trajectories import Group, Usage
from coopgym.interfaces.text import Rules

TREES = [BreadthTree(), ValueGuidedTree(), MonteCarloTree()]
SAMPLERS = [Independent(), Matches(), *TREES]
SIZE = 4


@pytest.fixture(scope="module")
def sample(tasks: TaskSettings, pupil: Callable[[], SmallModel]) -> Callable[..., list[Group]]:
    model = pupil()

    def groups(
        sampler: Sampler, *, size: int = SIZE, given: list[Task] | None = None, step: int = 0, max_tokens: int = 24
    ) -> list[Group]:
        services = Services(model, Decoding(max_tokens=max_tokens), "compact", seed=5, values=ValueHead(model.width))
        return sampler.sample(given or Uniform(tasks, 0).tasks(2, 0), size, services, step)

    return groups


def texts(groups: list[Group]) -> list[list[int]]:
    return [member.ids.tolist() for group in groups for member in group.members]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
def test_sampling_repeats_itself_and_differs_by_step(sampler: Sampler, sample) -> None:
    first = sample(sampler)
    assert texts(first) == texts(sample(sampler))
    assert texts(first) != texts(sample(sampler, step=1))


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
def test_every_rollout_is_recorded_as_it_was_sampled(sampler: Sampler, sample) -> None:
    for group in sample(sampler):
        assert group.members
        assert group.tokens > 0
        for member in group.members:
            assert member.turns
            assert (member.logp_old[~member.mask] == 0.0).all()
            assert (member.logp_old[member.mask] <= 0.0).all()
            assert 0.0 <= member.outcome <= 1.0
            assert member.written == sum(turn.length for turn in member.turns)
            assert (member.answer is not None) == (member.ended_by == "answer")


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
def test_messages_are_kept_with_the_tokens_they_took(
    sampler: Sampler, sample, tasks: TaskSettings, pupil: Callable[[], SmallModel]
) -> None:
    decode, finishes = pupil().tokenizer.decode, Counter[str | None]()
    for group in sample(sampler, given=Uniform(replace(tasks, decisions=2), 0).tasks(4, 0), max_tokens=12):
        for member in group.members:
            assert [message.content for message, usage in member.said[:1]] == [decode(member.prompt_ids.tolist())]
            written = [(message, usage) for message, usage in member.said if message.role == "assistant"]
            assert all(usage == Usage() for message, usage in member.said if message.role != "assistant")
            for message, usage in written:
                assert usage.prompt_tokens is not None
                assert usage.completion_tokens is not None
                start = usage.prompt_tokens - len(member.prompt_ids)
                span = slice(start, start + usage.completion_tokens)
                assert decode(member.ids[span].tolist()) == message.content
                assert usage.logprob == pytest.approx(member.logp_old[span].sum())
                finishes[usage.finish] += 1
            assert sum(usage.completion_tokens or 0 for _, usage in written) == member.written
    assert set(finishes) == {"stop", "length"}


@pytest.mark.parametrize("sampler", [Independent(), *TREES], ids=lambda sampler: type(sampler).__name__)
def test_members_of_a_group_start_alike_and_groups_do_not(sampler: Sampler, sample) -> None:
    groups = sample(sampler)
    prompts = [{member.prompt_ids.tobytes() for member in group.members} for group in groups]
    assert [len(each) for each in prompts] == [1, 1]
    assert prompts[0] != prompts[1]


def test_a_group_does_not_depend_on_the_groups_beside_it(tasks: TaskSettings, sample) -> None:
    both = Uniform(tasks, 0).tasks(2, 0)
    assert texts(sample(Independent(), given=both[:1])) == texts(sample(Independent(), given=both))[:SIZE]


def test_members_face_the_same_partner_actions() -> None:
    settings = TaskSettings("TrustDilemma-v1", partners=("Random",), decisions=3, rules=Rules(max_turns=1))
    task = Task(settings, seat=0, partner="Random", start=2, seed=9)
    seen = []
    for level in (0.1, 0.9):
        match = task.open()
        match.send(0, f"submit {level}")
        match.send(0, f"submit {level}")
        seen.append([re.findall(r"they (\S+)", dialogue.prompt) for dialogue in match.dialogues(0)])
    assert seen[0] == seen[1]
    assert len({str(each) for each in seen[0]}) == 3


@pytest.mark.parametrize("size", [1, 4, 5])
def test_matches_fill_all_seats_with_rollouts(size: int, sample) -> None:
    for group in sample(Matches(), size=size):
        assert len(group.members) == size
        assert len(group.matches) == -(-size // 2)
        assert [place for match in group.matches for place in match.members] == list(range(size))
        for match in group.matches:
            played = [group.members[place] for place in match.members]
            assert match.scores == tuple(member.outcome for member in played)
            assert len({tuple(member.payoffs) for member in played}) == 1
        written = sum(member.written for member in group.members)
        assert (group.tokens == written) == (size % 2 == 0)
        assert group.tokens >= written


@pytest.mark.parametrize("sampler", TREES, ids=lambda sampler: type(sampler).__name__)
def test_members_of_a_tree_are_its_paths(sampler: Sampler, sample) -> None:
    for group in sample(sampler):
        tree = group.tree
        assert tree is not None
        assert len(tree.parent) == len(tree.turn) == len(tree.leaf_reward)
        assert (tree.parent[0], tree.turn[0]) == (-1, None)
        assert all(0 <= parent < node for node, parent in enumerate(tree.parent) if node)
        leaves = set(range(len(tree.parent))) - set(tree.parent)
        assert {node for node, reward in enumerate(tree.leaf_reward) if reward is not None} == leaves
        assert {member.path[-1] for member in group.members} == leaves
        assert {node for member in group.members for node in member.path} == set(range(len(tree.parent)))
        for member in group.members:
            assert member.path[0] == 0
            assert all(tree.parent[below] == above for above, below in zip(member.path, member.path[1:], strict=False))
            assert [tree.turn[node] for node in member.path[1:]] == list(member.turns)
            assert tree.leaf_reward[member.path[-1]] == member.outcome


@pytest.mark.parametrize("sampler", TREES, ids=lambda sampler: type(sampler).__name__)
def test_members_that_share_nodes_share_all_tokens_up_to_them(sampler: Sampler, sample) -> None:
    shared = 0
    for group in sample(sampler):
        for one in group.members:
            for other in group.members:
                common = sum(a == b for a, b in zip(one.path, other.path, strict=False)) - 1
                if common:
                    end = one.turns[common - 1].end
                    assert np.array_equal(one.ids[:end], other.ids[:end])
                    assert np.array_equal(one.logp_old[:end], other.logp_old[:end])
                    shared += one is not other
        nodes = {
            node: turn for member in group.members for node, turn in zip(member.path[1:], member.turns, strict=True)
        }
        assert group.tokens >= sum(turn.length for turn in nodes.values())
    assert shared or not isinstance(sampler, BreadthTree)


def test_breadth_stays_within_its_width_and_budget(sample) -> None:
    for group in sample(BreadthTree(width=2, branches=3, tau=1.0, tokens_per_rollout=1000)):
        opened = {(depth, node) for member in group.members for depth, node in enumerate(member.path[1:-1])}
        assert max(Counter(depth for depth, _ in opened).values()) <= 2
    for group in sample(BreadthTree(tokens_per_rollout=1)):
        assert {len(member.turns) for member in group.members} == {1}


def test_value_guided_search_plays_every_chosen_leaf_to_its_end(sample) -> None:
    for group in sample(ValueGuidedTree(beam=3)):
        assert 1 <= len(group.members) <= SIZE
        assert all(member.levels for member in group.members)


def test_value_guided_search_without_a_critic_is_told(tasks: TaskSettings, pupil) -> None:
    services = Services(pupil(), Decoding(), "compact", seed=0)
    with pytest.raises(ValueError, match="value-guided search needs a value head"):
        ValueGuidedTree().sample(Uniform(tasks, 0).tasks(1, 0), 2, services, 0)


def test_monte_carlo_search_backs_up_one_leaf_per_simulation(sample) -> None:
    for group in sample(MonteCarloTree(branches=2), size=3):
        assert 1 <= len(group.members) <= 3
        assert all(member.levels for member in group.members)


@pytest.mark.parametrize("kind", [BreadthTree, MonteCarloTree])
def test_parameters_out_of_range_are_told(kind: type) -> None:
    with pytest.raises(ValueError, match=r"branches=0: expected a finite number in \[1"):
        kind(branches=0)
