"""Language models as learners of the harness: warm-up, a method, and one model per replica."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from coopgym.algorithms.common.learner_contract import Learner, Objective, ProgressCallback
from coopgym.algorithms.common.random_streams import Replica, cross
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.common.torch_defaults import torch_defaults
from coopgym.algorithms.common.training_partners import check_training_partners
from coopgym.algorithms.llm.method.method import Method
from coopgym.algorithms.llm.method.method_table import Slots
from coopgym.algorithms.llm.method.registry import make_method
from coopgym.algorithms.llm.models import LanguageModel, SmallSettings
from coopgym.algorithms.llm.models.storage import folder_hash
from coopgym.algorithms.llm.play.reference_actions import ORACLE_OF, SCALE, oracle_for
from coopgym.algorithms.llm.play.tasks import OutcomeKind, TaskSettings
from coopgym.algorithms.llm.training.result import LanguageResult, talk_record, training_record
from coopgym.algorithms.llm.training.trainer import Trainer, TrainerSettings
from coopgym.algorithms.llm.training.warm_up import RECIPE, WarmUp, warmed_up
from coopgym.games.game import Game
from coopgym.games.spec import View
from coopgym.interfaces.text import Rules, prompt_hash
from coopgym.interfaces.text.dialogue import OnInvalid
from coopgym.rewards import RewardLayer

WARM_UP = "warm_up"
"""In place of a method: the model before training."""
EXAMPLE = "TrustDilemma-v1"
"""A game that pieces of methods are made for when nobody has named one, to see whether they can be made."""
TOLD_ELSEWHERE = ("game", "parameters", "reward", "view")
"""Settings of tasks that are not the learner's."""
SMALL = "small"
"""The built-in model; any other name is a Hugging Face model or a folder with one."""


@dataclass(frozen=True, kw_only=True)
class LLM(TrainerSettings, Learner):
    """A language model that plays through tools and is trained by a method; ``env_steps`` are decisions in rollouts.

    One model plays all seats, in turn; a replica trains on its own.

    Attributes:
        method: name of the method (`coopgym.algorithms.llm.methods`), or ``"warm_up"`` for the model before training.
        options: parameters of the method's pieces, by piece.
        slots: other pieces for some of the method's slots, by name; then give the entry of a study a ``label``.
        first_steps: steps of the fine-tuning stage of methods that have one; None is the method's own number.
        model: ``"small"``, or a Hugging Face model by name or folder.
        layers: of the built-in model, as are ``width``, ``heads`` and ``context``.
        warm_up_steps: gradient updates on demonstrations; only the built-in model needs them.
        dialect: how things are worded; None is ``"compact"`` for the built-in model and ``"json"`` for others.
        max_turns: messages per decision.
        on_invalid: what an unreadable answer leads to (`coopgym.interfaces.text.Rules`).
        decisions: decisions in a row per rollout.
        partners: agents that rollouts meet.
        outcome: what a rollout is worth (`coopgym.algorithms.llm.play.tasks.OutcomeKind`).
        oracle: who says what is right; None is the oracle of the reward mode.
        tokens: budget of tokens, help included, that ends training early; None for none.
        lora: rank of low-rank adapters of a Hugging Face model; None trains all weights.
    """

    objectives: ClassVar[tuple[Objective, ...]] = ("individual",)
    searchable: ClassVar[bool] = False
    usual_steps: ClassVar[int] = 1280

    method: str = "grpo"
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    slots: Slots = dataclasses.field(default_factory=dict)
    first_steps: int | None = hyperparameter(None, 0)
    model: str = SMALL
    layers: int = hyperparameter(2, 1)
    width: int = hyperparameter(64, 2)
    heads: int = hyperparameter(4, 1)
    context: int = hyperparameter(512, 2)
    warm_up_steps: int = hyperparameter(300, 0)
    dialect: str | None = None
    max_turns: int = hyperparameter(4, 1)
    on_invalid: OnInvalid = "retry"
    decisions: int = hyperparameter(1, 1)
    partners: tuple[str, ...] = ("Random", "TitForTat", "Constant_25", "Constant_50", "Constant_75")
    outcome: OutcomeKind = "graded"
    oracle: str | None = None
    tokens: int | None = hyperparameter(None, 1)
    lora: int | None = hyperparameter(None, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_training_partners(self.partners)
        _ = self.rules, self.size, oracle_for("private", self.oracle)
        example = self._tasks(EXAMPLE, {}, "private", None, oracle=None)
        if self.method != WARM_UP:
            self._method(example, seed=0)
        elif self.options or self.slots:
            raise ValueError(f"{WARM_UP!r} is no method and has neither options nor slots")

    @property
    def title(self) -> str:
        """Name in tables: the method."""
        return f"LLM-{self.method}"

    @property
    def rules(self) -> Rules:
        """How decisions are conducted."""
        return Rules(max_turns=self.max_turns, on_invalid=self.on_invalid)

    @property
    def size(self) -> SmallSettings:
        """Size of the built-in model."""
        return SmallSettings(layers=self.layers, width=self.width, heads=self.heads, context=self.context)

    @property
    def worded_in(self) -> str:
        """The dialect."""
        return self.dialect or ("compact" if self.model == SMALL else "json")

    def check(self, game: Game[Any]) -> None:
        """Make sure that the oracles that tasks are judged by apply to a game.

        Raises:
            ValueError: they do not.
        """
        super().check(game)
        self._tasks(game.spec.id, dataclasses.asdict(game.spec.parameters), "private", None, self.oracle)

    def identity(self) -> dict[str, Any]:
        """Return all hyper-parameters, those of the method's pieces and of the warm-up among them."""
        tasks = self._tasks(EXAMPLE, {}, "private", None, oracle=None)
        asked = {name: value for name, value in tasks.values().items() if name not in TOLD_ELSEWHERE}
        method = None if self.method == WARM_UP else self._method(tasks, seed=0).identity()
        warm_up = dataclasses.asdict(self._warm_up) | {"recipe": RECIPE}
        return {**self.values(), "method_pieces": method, "tasks": asked, "warm_up": warm_up}

    def company(self, reward: str) -> tuple[str, ...]:
        """Name the agents that rollouts meet, and the oracles that judge them."""
        judge = self.oracle or ORACLE_OF.get(reward)
        return (*self.partners, *dict.fromkeys((*([judge] if judge else []), *SCALE)))

    def prompt_hash(self, game: Game[Any], view: View, reward: str) -> str:
        """Return the hash of what the model reads."""
        return prompt_hash(game, view, reward, self.worded_in, self.rules)

    def data_hash(self) -> str | None:
        """Return the hash of a model that lies in a folder; of one that is fetched by name nobody knows more."""
        folder = Path(self.model)
        return folder_hash(folder) if self.model != SMALL and folder.is_dir() else None

    @torch_defaults()
    def train(
        self,
        game: str,
        rewards: Iterable[str | RewardLayer] = ("integrated",),
        seeds: Iterable[int] = (0,),
        env_steps: int = 2_000,
        *,
        game_parameters: Mapping[str, Any] | None = None,
        view: View | None = None,
        device: str = "cpu",
        progress: ProgressCallback | None = None,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 10,
        checkpoint_seconds: float = 0.0,
    ) -> LanguageResult:
        """Train one model per reward and seed, one after the other.

        Arguments and errors are those of `coopgym.algorithms.common.learner_contract.Learner.train`; the blocks that
        ``checkpoint_every`` counts are training steps. ``progress`` counts a demonstration that the warm-up reads as a
        decision.
        """
        if env_steps < 1 or checkpoint_every < 1:
            raise ValueError(f"env_steps={env_steps}, checkpoint_every={checkpoint_every}: expected at least 1")
        replicas, models, entries = cross(rewards, seeds), list[LanguageModel | None](), list[dict[str, Any]]()
        rollouts: list[list[dict[str, Any]]] = []
        for number, replica in enumerate(replicas):
            tasks = self._tasks(game, game_parameters or {}, replica.reward.name, view, self.oracle)
            model, entry, kept = self._train_one(
                tasks,
                replica,
                env_steps,
                device,
                progress=_shifted(progress, number, len(replicas)),
                checkpoint=None if checkpoint is None else Path(checkpoint) / f"replica_{number:03d}",
                checkpoint_every=checkpoint_every,
                checkpoint_seconds=checkpoint_seconds,
            )
            models.append(model)
            entries.append(entry)
            rollouts.append(kept)
        record = training_record(
            game,
            view or tasks.made.spec.default_view,
            tasks.made.n_agents,
            self.values(),
            talk_record(self.worded_in, self.rules, self.decoding),
            entries,
        )
        return LanguageResult(record, models, rollouts)

    def _train_one(
        self,
        tasks: TaskSettings,
        replica: Replica,
        decisions: int,
        device: str,
        *,
        progress: ProgressCallback,
        checkpoint: Path | None,
        checkpoint_every: int,
        checkpoint_seconds: float,
    ) -> tuple[LanguageModel | None, dict[str, Any], list[dict[str, Any]]]:
        """Train one replica and return its model, its entry and the rollouts that are kept."""
        entry: dict[str, Any] = {"reward": replica.reward.name, "seed": replica.seed, "diverged_at": None}
        warm_up, budget = self._warm_up, 0 if self.method == WARM_UP else decisions
        planned = warm_up.demonstrations + budget
        model = self._model(tasks, replica.seed, device, lambda read: progress(read, planned))
        if self.method == WARM_UP:
            progress(planned, planned)
            return model, {**entry, "decisions": 0, "gradient_updates": 0, "curves": []}, []
        method = self._method(tasks, replica.seed)
        trainer = Trainer(model, method, self, self.worded_in, replica.seed)
        try:
            trainer.train(
                decisions,
                tokens=self.tokens,
                progress=lambda done, _: progress(warm_up.demonstrations + done, planned),
                checkpoint=checkpoint,
                checkpoint_every=checkpoint_every,
                checkpoint_seconds=checkpoint_seconds,
                identity={**tasks.values(), "env_steps": decisions},
            )
        except FloatingPointError:
            entry["diverged_at"] = trainer.decisions
        curves = [
            [int(row["decisions"]), name, value]
            for row in trainer.history
            for name, value in row.items()
            if name != "decisions"
        ]
        entry |= {"decisions": trainer.decisions, "gradient_updates": trainer.updates, "curves": curves}
        return (None if entry["diverged_at"] is not None else model), entry, trainer.rollouts

    @property
    def _warm_up(self) -> WarmUp:
        return WarmUp(steps=self.warm_up_steps if self.model == SMALL else 0)

    def _model(self, tasks: TaskSettings, seed: int, device: str, progress: Callable[[int], None]) -> LanguageModel:
        if self.model == SMALL:
            return warmed_up(self.size, tasks, self._warm_up, seed, device, progress)
        from coopgym.algorithms.llm.models.huggingface import HuggingFaceModel, LoraSettings

        lora = None if self.lora is None else LoraSettings(rank=self.lora)
        return HuggingFaceModel(self.model, device=device, lora=lora, seed=seed)

    def _method(self, tasks: TaskSettings, seed: int) -> Method:
        return make_method(self.method, tasks, seed, self.options, self.slots, self.first_steps)

    def _tasks(
        self, game: str, parameters: Mapping[str, Any], reward: str, view: View | None, oracle: str | None
    ) -> TaskSettings:
        return TaskSettings(
            game=game,
            parameters=dict(parameters),
            reward=reward,
            view=view,
            partners=self.partners,
            decisions=self.decisions,
            dialect=self.worded_in,
            rules=self.rules,
            outcome=self.outcome,
            oracle=oracle,
        )


def _shifted(progress: ProgressCallback | None, number: int, count: int) -> ProgressCallback:
    """Report the progress of one replica as a part of all."""

    def report(done: int, planned: int) -> None:
        if progress is not None:
            progress(number * planned + done, count * planned)

    return report
