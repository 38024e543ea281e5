"""Intrinsic rewards from an annotator's feedback while learning goes on (ONI; Zheng et al. 2024, arXiv:2410.23022)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.common.torch_defaults import torch_defaults
from coopgym.algorithms.reward_models.annotators import Unreadable, find_annotator
from coopgym.algorithms.reward_models.caption_labels import CaptionLabels
from coopgym.algorithms.reward_models.caption_models import CaptionModel, Classified, Ranked, Retrieved
from coopgym.algorithms.reward_models.captions import CAPTIONS, FEATURES, Captioner
from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.rewards import LearnedTransform, ObservedStep, RewardTransform, register_transform

MODELS = ("hash", "classifier", "ranking")


@register_transform
@dataclass(frozen=True)
class ONI(RewardTransform):
    """Pays each agent c_ext r + c_int L(m) / n(m)^β, m what it saw happen and n how often in this episode.

    L is what an annotator says of captions, who is told of new ones when learned transforms learn, the newest first.
    Until it has answered, a caption is worth nothing. Every agent has labels of its own.

    Attributes:
        model: ``hash`` looks labels up, ``classifier`` and ``ranking`` learn from them what others are worth.
        annotator: one of `coopgym.algorithms.reward_models.annotators.EXCHANGES`, or an address such as
            ``llm:http://127.0.0.1:8000/v1#model`` of a language model at a server.
        weight: c_int, in the units of the reward.
        extrinsic: c_ext.
        beta: β, how fast a caption wears out.
        batch: captions that the annotator is handed at once.
        threshold: of standardised scores, below which ``ranking`` pays nothing.
        delay: steps that every answer takes at least, to find out what a slow annotator costs and get the same again.

    >>> from coopgym import make_game, play
    >>> from coopgym.rewards import reward_layer
    >>> game = make_game("TrustDilemma-v1", max_steps=4)
    >>> rewards = reward_layer("private + oni(extrinsic=0, weight=1, beta=1)").running(game, ())
    >>> for _ in range(2):  # the first episode shows what there is to see
    ...     rewards.reset()
    ...     steps = play.unroll(game, lambda t, _: game.endowments * 0.2 * (t + 1), draws=play.NOMINAL)
    ...     print(np.round([rewards(step)[0] for step in steps], 2))
    [0. 0. 0. 0.]
    [0.   1.   0.5  0.33]
    """

    kind = "oni"
    learned = True
    per_agent = True
    model: str = "hash"
    annotator: str = "rule"
    weight: float = 0.1
    extrinsic: float = 1.0
    beta: float = 1.0
    batch: int = 8
    threshold: float = -0.5
    delay: int = 0

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ValueError(f"unknown model {self.model!r}; known: {', '.join(MODELS)}")
        find_annotator(self.annotator)
        for name in ("weight", "extrinsic", "threshold"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name}={getattr(self, name)!r}: expected a finite number")
        if not (self.beta >= 0.0 and math.isfinite(self.beta)):
            raise ValueError(f"beta={self.beta!r}: expected a number of at least 0")
        for name, least in (("batch", 1), ("delay", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}: expected at least {least}")

    @property
    def bounded_sum(self) -> bool:
        """Whether all that captions pay in an episode is bounded: by |weight| ζ(β) for each of them."""
        return self.beta > 1.0 and self.extrinsic == 1.0 and self.model != "ranking"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"observation"})

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningONI:
        return RunningONI(self, game, batch)


class RunningONI(LearnedTransform):
    """Counts of episodes ``(R, B, N, C)``, and labels and models of K = R · N agents."""

    @torch_defaults()
    def __init__(self, declared: ONI, game: AnyGame, batch: tuple[int, ...]) -> None:
        self._declared, self._game, self._caption = declared, game, Captioner(game)
        self._device = torch.device(game.backend.device or "cpu")
        self._replicas = batch[0] if len(batch) > 1 else 1
        self._copies, agents = math.prod(batch) // self._replicas, game.n_agents
        self._counts = torch.zeros(self._replicas, self._copies, agents, len(CAPTIONS), device=self._device)
        self._once = torch.ones(*self._counts.shape[:3], 1, device=self._device)
        self._latest = list[Tensor]()
        self._seen = torch.zeros(self._replicas * agents, len(CAPTIONS), device=self._device)
        self._labels = CaptionLabels(self._replicas * agents, len(CAPTIONS), self._device)
        self._model = _model(declared, self._replicas * agents, self._device)
        self._exchange = find_annotator(declared.annotator)()
        self._under_way: set[int] = set()

    def reset(self, episodes: Array | None = None) -> None:
        if episodes is None:
            self._counts.zero_()
            return
        anew = torch.as_tensor(episodes, device=self._device).view(self._replicas, self._copies, 1, 1)
        self._counts.masked_fill_(anew, 0.0)

    def __call__(self, step: ObservedStep, reward: Array) -> Array:
        captions = torch.as_tensor(self._caption(step), device=self._device)
        captions = captions.view(*self._counts.shape[:3], 1)
        self._latest.append(captions[..., 0].to(torch.uint8))
        self._counts.scatter_add_(-1, captions, self._once)
        count = self._counts.gather(-1, captions)[..., 0]
        value = self._values.gather(-1, captions)[..., 0]
        earned = intrinsic(value, count, self._declared.weight, self._declared.beta)
        return self._declared.extrinsic * reward + self._game.backend.array(earned.reshape(tuple(reward.shape)))

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """The latest answers of the annotator in which captions have no label, as far as they are known."""
        return self._exchange.unreadable

    @property
    def _values(self) -> Tensor:
        """What captions are worth to the agents of every copy, ``(R, B, N, C)``."""
        return self._model.values.view(self._replicas, 1, -1, len(CAPTIONS)).expand_as(self._counts)

    def _take_note(self) -> None:
        """Note what has been seen since the last time, all steps at once."""
        if not self._latest:
            return
        captions = torch.stack(self._latest).long().transpose(2, 3).flatten(1, 2)  # (T, K, B)
        self._latest.clear()
        self._labels.see(captions)
        by_agent = captions.transpose(0, 1).flatten(1)
        self._seen.scatter_add_(1, by_agent, torch.ones_like(by_agent, dtype=self._seen.dtype))

    @torch_defaults()
    def fit(self) -> None:
        self._take_note()
        self._labels.deliver()
        asked = self._labels.ask(self._declared.batch).any(0).nonzero().flatten().tolist()
        answered = self._under_way | self._labels.held
        new = [caption for caption in asked if caption not in answered]
        answers = self._exchange.exchange([CAPTIONS[caption] for caption in new])
        found = {CAPTIONS.index(caption): label for caption, label in answers.items()}
        self._labels.write(found, self._declared.delay)
        self._under_way = (self._under_way | set(new)) - set(found)
        self._model.fit(self._labels.label, self._seen)
        self._seen.zero_()

    def state(self) -> dict[str, Array]:
        self._take_note()
        return {
            "counts": self._counts,
            "seen": self._seen,
            **{f"labels.{name}": tensor for name, tensor in self._labels.state().items()},
            **{f"model.{name}": tensor for name, tensor in self._model.state().items()},
        }

    def restore(self, state: Mapping[str, Array]) -> None:
        self._latest.clear()
        self._counts.copy_(state["counts"])
        self._seen.copy_(state["seen"])
        for prefix, part in (("labels.", self._labels), ("model.", self._model)):
            part.restore({name.removeprefix(prefix): each for name, each in state.items() if name.startswith(prefix)})


def _model(declared: ONI, agents: int, device: torch.device) -> CaptionModel:
    features = torch.as_tensor(FEATURES, dtype=torch.float32, device=device)
    match declared.model:
        case "classifier":
            return Classified(agents, features)
        case "ranking":
            return Ranked(agents, features, declared.threshold)
    return Retrieved(agents, features)


def intrinsic(value: Tensor, count: Tensor, weight: float, beta: float) -> Tensor:
    """Return c_int L(m) n(m)^-β, elementwise.

    Args:
        value: L, what a caption is worth.
        count: n, how often it was seen in the episode, at least once.
        weight: c_int.
        beta: β.
    """
    return weight * value * count.pow(-beta)
