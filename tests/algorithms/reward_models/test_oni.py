"""Rewards from an annotator: what is asked, what comes back when, what is paid, and that nobody waits."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import gymnasium
import hypothesis.extra.numpy
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import coopgym
from coopgym.algorithms import IPPO
from coopgym.algorithms.reward_models.annotators import (
    EXCHANGES,
    KEPT,
    LONGEST,
    Background,
    Immediate,
    Label,
    LabelExchange,
    Replayed,
    Unreadable,
    asking,
    by_rule,
    noisy,
    register_annotator,
)
from coopgym.algorithms.reward_models.caption_labels import ATTEMPTS, UNKNOWN, CaptionLabels
from coopgym.algorithms.reward_models.caption_models import LEAST_LABELS, Classified, Ranked
from coopgym.algorithms.reward_models.captions import CAPTIONS, FEATURES, Caption, Captioner
from coopgym.backend import torch_backend
from coopgym.play import NOMINAL, open_loop, unroll
from coopgym.rewards import ObservedStep, reward_layer
from coopgym.testing import check_transform

CPU = torch.device("cpu")
RULE = torch.tensor([[int(bool(label)) for label in by_rule(CAPTIONS)]])


@pytest.fixture
def annotator() -> Iterator[list[Sequence[Caption]]]:
    """An annotator called ``listening`` that keeps what it was asked."""
    asked: list[Sequence[Caption]] = []

    def labels(captions: Sequence[Caption]) -> Sequence[Label]:
        asked.append(tuple(captions))
        return by_rule(captions)

    register_annotator("listening", lambda: Immediate(labels))
    yield asked
    del EXCHANGES["listening"]


@pytest.mark.parametrize("text", ["oni", "oni(model=classifier)", "oni(model=ranking)", "oni(beta=2)"])
def test_it_is_what_it_declares(text: str) -> None:
    check_transform(text, games=("TrustDilemma-v1",))


def test_captions_say_what_was_seen() -> None:
    game = coopgym.make_game("TrustDilemma-v1", max_steps=3)
    plan = np.array([[0.5, 0.5], [0.9, 0.5], [0.89, 0.9]])
    steps = unroll(game, open_loop(game, plan), draws=NOMINAL)
    seen = [str(CAPTIONS[Captioner(game)(ObservedStep.of(step))[0]]) for step in steps]
    assert seen[1].startswith("You raise cooperation a lot; the others put in less than you; trust rises")
    assert seen[2].startswith("You hold cooperation; the others put in as much as you; trust")


def test_backends_see_the_same() -> None:
    game = coopgym.make_game("TeamProduction-v1", max_steps=6)
    plan = np.random.default_rng(3).random((6, 8, game.n_agents))
    other = game.to(torch_backend("cpu", torch.float64))
    found = []
    for each, moves in ((game, plan), (other, torch.as_tensor(plan))):
        steps = unroll(each, open_loop(each, moves), batch=(8,), draws=NOMINAL)
        found.append([np.asarray(Captioner(each)(ObservedStep.of(step))) for step in steps])
    np.testing.assert_array_equal(*found)


class TestLabels:
    def test_the_newest_are_asked_for_first_and_none_twice(self) -> None:
        labels = CaptionLabels(1, 6, CPU)
        for caption in (4, 1, 1, 3, 4):
            labels.see(torch.tensor([[[caption]]]))
        assert labels.ask(2).nonzero()[:, 1].tolist() == [1, 3]
        labels.see(torch.tensor([[[0]]]))
        assert labels.ask(1).nonzero()[:, 1].tolist() == [0, 1, 3], "under way are those of before, too"
        labels.write({0: True, 1: False, 3: True})
        assert labels.ask(5).nonzero()[:, 1].tolist() == [4]
        assert labels.label[0].tolist() == [1, 0, UNKNOWN, 1, UNKNOWN, UNKNOWN]

    @settings(max_examples=30, deadline=None)
    @given(hypothesis.extra.numpy.arrays(np.int64, (5, 2, 3), elements=st.integers(0, 5)))
    def test_several_steps_at_once_are_so_many_steps(self, seen: npt.NDArray[np.int64]) -> None:
        captions, at_once, one_by_one = torch.as_tensor(seen), CaptionLabels(2, 6, CPU), CaptionLabels(2, 6, CPU)
        at_once.see(captions)
        for step in captions:
            one_by_one.see(step[None])
        for name, tensor in at_once.state().items():
            assert torch.equal(tensor, one_by_one.state()[name]), name
        assert torch.equal(at_once.ask(2), one_by_one.ask(2))

    def test_answers_that_are_delayed_come_when_they_are_due_also_after_a_break(self) -> None:
        labels, again = CaptionLabels(1, 2, CPU), CaptionLabels(1, 2, CPU)
        labels.see(torch.tensor([[[0]]]))
        labels.ask(1)
        labels.write({0: True}, delay=2)
        again.restore({name: tensor.clone() for name, tensor in labels.state().items()})
        for each in (labels, again):
            assert each.held == {0}
            assert not each.waiting.any()
            each.see(torch.tensor([[[1]]]))
            each.deliver()
            assert each.label[0].tolist() == [UNKNOWN, UNKNOWN]
            each.see(torch.tensor([[[1]]]))
            each.deliver()
            assert each.label[0].tolist() == [1, UNKNOWN]
            assert each.held == set()

    def test_those_who_answer_nothing_are_asked_again_and_then_no_more(self) -> None:
        labels = CaptionLabels(1, 2, CPU)
        labels.see(torch.tensor([[[0]]]))
        for _ in range(ATTEMPTS):
            assert labels.ask(2)[0].tolist() == [True, False]
            labels.write({0: None})
        assert not labels.ask(2).any()
        assert labels.unreadable.tolist() == [1]

    def test_agents_know_nothing_of_one_another(self) -> None:
        labels = CaptionLabels(2, 3, CPU)
        labels.see(torch.tensor([[[0], [2]]]))
        labels.ask(3)
        labels.write({0: True, 2: True})
        assert labels.label.tolist() == [[1, UNKNOWN, UNKNOWN], [UNKNOWN, UNKNOWN, 1]]


class TestAnnotators:
    def test_garbage_is_no_label(self) -> None:
        for answer in ("", "certainly!", "1: maybe\n7: yes", "__import__('os')"):
            assert list(asking(lambda prompt, answer=answer: answer)(CAPTIONS[:2])) == [None, None], answer  # type: ignore[misc]
        assert list(asking(lambda prompt: "1 yes 2 no")(CAPTIONS[:2])) == [True, None]

    def test_answers_are_read_line_by_line(self) -> None:
        asked = []

        def answer(prompt: str) -> str:
            asked.append(prompt)
            return "Well:\n1: YES, since\n2) no\n"

        assert list(asking(answer)(CAPTIONS[:2])) == [True, False]
        assert str(CAPTIONS[1]) in asked[0]

    def test_noise_errs_about_the_same_captions_every_time(self) -> None:
        erring = noisy(by_rule, 0.25, seed=1)
        assert list(erring(CAPTIONS)) == [erring([caption])[0] for caption in CAPTIONS]
        wrong = np.mean([a != b for a, b in zip(erring(CAPTIONS), by_rule(CAPTIONS), strict=True)])
        assert 0.1 < wrong < 0.4

    def test_whoever_learns_does_not_wait(self, tmp_path: Path) -> None:
        may_answer, has_answered = threading.Event(), threading.Event()

        def slow(captions: Sequence[Caption]) -> Sequence[Label]:
            may_answer.wait(60)
            has_answered.set()
            return by_rule(captions)

        log = tmp_path / "labels.jsonl"
        exchange = Background(slow, log)
        assert exchange.exchange(CAPTIONS[:2]) == {}
        may_answer.set()
        assert has_answered.wait(60)
        found = dict[Caption, Label]()
        while not found:
            found = dict(exchange.exchange([]))
        assert found == dict(zip(CAPTIONS[:2], by_rule(CAPTIONS[:2]), strict=True))
        replayed = Replayed(log)
        again = [dict(replayed.exchange([])) for _ in log.read_text().splitlines()]
        assert again[0] == {}
        assert again[-1] == found
        assert replayed.exchange(CAPTIONS[:1]) == {}

    def test_an_annotator_that_raises_loses_nothing(self) -> None:
        tried = threading.Event()

        def broken(captions: Sequence[Caption]) -> Sequence[Label]:
            tried.set()
            raise RuntimeError("no connection")

        exchange = Background(broken)
        exchange.exchange(CAPTIONS[:1])
        assert tried.wait(60)
        found = dict[Caption, Label]()
        while not found:
            found = dict(exchange.exchange([]))
        assert found == {CAPTIONS[0]: None}
        assert exchange.errors == 1
        assert exchange.unreadable == (Unreadable(CAPTIONS[:1], "RuntimeError: no connection"),)

    def test_the_latest_unreadable_answers_are_kept(self) -> None:
        answers = iter([f"{number}? " + "?" * LONGEST for number in range(KEPT + 5)])
        ask = asking(lambda prompt: next(answers))
        running = Immediate(ask)
        for _ in range(KEPT + 5):
            assert running.exchange(CAPTIONS[:2]) == {CAPTIONS[0]: None, CAPTIONS[1]: None}
        assert len(ask.unreadable) == KEPT
        assert running.unreadable == ask.unreadable
        assert ask.unreadable[0].answer.startswith("5? ")
        assert ask.unreadable[-1].captions == CAPTIONS[:2]
        assert max(len(each.answer) for each in ask.unreadable) == LONGEST
        asking(lambda prompt: "1: yes\n2: no")(CAPTIONS[:2])

    def test_the_thread_ends_with_its_exchange(self) -> None:
        threads = set(threading.enumerate())
        exchange = Background(by_rule)
        (thread,) = set(threading.enumerate()) - threads
        assert thread.is_alive()
        del exchange
        gc.collect()
        thread.join(60)
        assert not thread.is_alive()

    @pytest.mark.parametrize(("answer", "label"), [("maybe", None), (2, None), (None, None), (np.True_, True)])
    def test_labels_are_true_false_or_no_answer(self, tmp_path: Path, answer: Label, label: Label) -> None:
        log = tmp_path / "labels.jsonl"
        background = Background(lambda captions: [answer], log)
        background.exchange(CAPTIONS[:1])
        found = dict[Caption, Label]()
        while not found:
            found = dict(background.exchange([]))
        assert found == Immediate(lambda captions: [answer]).exchange(CAPTIONS[:1])
        assert found[CAPTIONS[0]] is label
        Replayed(log)

    def test_too_few_labels_are_none_and_the_newest_go_first(self) -> None:
        busy, go_on = threading.Event(), threading.Event()
        asked = list[Sequence[Caption]]()

        def one_too_few(captions: Sequence[Caption]) -> Sequence[Label]:
            asked.append(captions)
            busy.set()
            go_on.wait(60)
            return [True] * (len(captions) - 1)

        exchange = Background(one_too_few)
        exchange.exchange(CAPTIONS[:1])
        assert busy.wait(60)
        for captions in (CAPTIONS[1:2], CAPTIONS[2:3]):
            exchange.exchange(captions)
        go_on.set()
        found = dict[Caption, Label]()
        while len(found) < 3:
            found |= exchange.exchange([])
        assert set(found.values()) == {None}
        assert exchange.errors == 3
        assert asked == [CAPTIONS[:1], CAPTIONS[2:3], CAPTIONS[1:2]]

    @pytest.mark.parametrize("line", ["[]", '{"99": true}', '{"1": "yes"}', "{"])
    def test_a_log_of_something_else_is_refused(self, tmp_path: Path, line: str) -> None:
        log = tmp_path / "labels.jsonl"
        log.write_text(f"{json.dumps({'0': True})}\n{line}\n")
        with pytest.raises(ValueError, match=r"line 2|JSON"):
            Replayed(log)


@pytest.mark.parametrize("model", [Classified, Ranked])
def test_models_agree_with_complete_labels(model: type[Classified] | type[Ranked]) -> None:
    features = torch.as_tensor(FEATURES, dtype=torch.float32)
    learned = model(1, features) if model is Classified else Ranked(1, features, -10.0)
    before = learned.values.clone()
    for _ in range(40):
        learned.fit(RULE, torch.ones_like(RULE))
    helpful, others = learned.values[RULE == 1], learned.values[RULE == 0]
    assert helpful.min() > others.max()
    assert not before.any()


def test_models_wait_for_labels() -> None:
    learned = Classified(1, torch.as_tensor(FEATURES, dtype=torch.float32))
    few = torch.full_like(RULE, UNKNOWN)
    few[:, : LEAST_LABELS - 1] = 1
    learned.fit(few, torch.ones_like(few))
    assert not learned.values.any()


def test_new_captions_alone_are_asked_for(annotator: list[Sequence[Caption]]) -> None:
    game = coopgym.make_game("TrustDilemma-v1", max_steps=8)
    running = reward_layer("private + oni(annotator=listening, batch=3)").running(game, (5,))
    plan = np.random.default_rng(0).random((8, 5, 2))
    for _ in range(6):
        running.reset()
        for step in unroll(game, open_loop(game, plan), batch=(5,), draws=NOMINAL):
            running(step)
    asked = [caption for captions in annotator for caption in captions]
    assert 0 < len(asked) <= 2 * len(CAPTIONS)
    assert max(len(captions) for captions in annotator) <= 2 * 3, "three by each of two agents"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("oni(model=hsh)", "unknown model 'hsh'; known: hash, classifier, ranking"),
        ("oni(annotator=nobody)", "unknown annotator 'nobody'; known: rule, llm:ADDRESS"),
        ("oni(beta=-1)", "beta=-1.0: expected a number of at least 0"),
        ("oni(batch=0)", "batch=0: expected at least 1"),
        ("oni(delay=-1)", "delay=-1: expected at least 0"),
        ("oni(annotator=lm:here)", "unknown annotator 'lm:here'; known: rule, llm:ADDRESS"),
        ("oni(annotator=llm:here)", "url='here': expected an address such as http://127.0.0.1:8000/v1"),
        ("oni(weight=nan)", "weight=nan: expected a finite number"),
    ],
)
def test_slips_say_what_is_known(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reward_layer(f"private + {text}")


def test_interfaces_take_it() -> None:
    environment = gymnasium.make("coopgym/TrustDilemma-v1", reward="private + oni(beta=2)")
    environment.reset(seed=0)
    assert np.isfinite(environment.step(environment.action_space.sample())[1])
    parallel = coopgym.parallel_env("TrustDilemma-v1", reward="private + oni")
    parallel.reset(seed=0)
    parallel.step({agent: parallel.action_space(agent).sample() for agent in parallel.agents})


def test_a_delay_costs_what_came_before_and_nothing_afterwards() -> None:
    game = coopgym.make_game("TrustDilemma-v1", max_steps=5)
    plan = np.random.default_rng(0).random((5, 3, 2))
    paid = {}
    for delay in (0, 10):
        running = reward_layer(f"private + oni(extrinsic=0, batch=45, delay={delay})").running(game, (3,))
        sums = []
        for _ in range(5):
            running.reset()
            steps = unroll(game, open_loop(game, plan), batch=(3,), draws=NOMINAL)
            sums.append(float(sum(running(step) for step in steps).sum()))
        paid[delay] = sums
    first = paid[0][1]
    assert paid[0] == [0.0, first, first, first, first]
    assert paid[10] == [0.0, 0.0, 0.0, first, first]


def test_a_log_gives_a_learner_the_same_numbers_again(tmp_path: Path) -> None:
    log = tmp_path / "labels.jsonl"
    learner = IPPO(num_envs=4, rollout_steps=25, n_minibatches=1, n_epochs=1, hidden=(4,))
    makes: dict[str, Callable[[], LabelExchange]] = {
        "live": lambda: Background(by_rule, log),
        "again": lambda: Replayed(log),
    }
    found = []
    for name, make in makes.items():
        register_annotator(name, make)
        reward = f"private + oni(annotator={name}, weight=5)"
        trained = learner.train("TrustDilemma-v1", [reward], [3], 400, game_parameters={"max_steps": 10}, evaluations=2)
        found.append(trained.tensors)
        del EXCHANGES[name]
    assert any(json.loads(line) for line in log.read_text().splitlines()), "labels came while it learned"
    live, again = found
    assert live.keys() == again.keys()
    for key, tensor in live.items():
        np.testing.assert_array_equal(again[key], tensor)
