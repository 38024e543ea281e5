"""The table of methods: each is a composition of small pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from coopgym.algorithms.llm.method.credit import (
    COPO,
    DECS,
    IGPO,
    P2S,
    PPO,
    PPR,
    SCOPE,
    SIOP,
    SPAE,
    ArenaRL,
    BatchZ,
    BetaWeight,
    GroupCenter,
    GroupZ,
    GTAlign,
    Imitate,
    LeaveOneOut,
    MatchTIR,
    OutcomeExploration,
    PPRReturns,
    ProRAG,
    TreePS,
    VStar,
)
from coopgym.algorithms.llm.method.curricula import EasyGate, Horizons, MixedOnly, Uniform
from coopgym.algorithms.llm.method.objectives import Clip, ClipWithCritic, Imitation, MixedPolicy, NashProx
from coopgym.algorithms.llm.method.samplers.independent import Independent
from coopgym.algorithms.llm.method.samplers.match import Matches
from coopgym.algorithms.llm.method.samplers.monte_carlo import MonteCarloTree
from coopgym.algorithms.llm.method.samplers.tree import BreadthTree
from coopgym.algorithms.llm.method.samplers.value_guided import ValueGuidedTree
from coopgym.algorithms.llm.method.signals import (
    AnswerClusters,
    GoldBelief,
    GoldPath,
    PairJudge,
    SelfDiff,
    StepJudge,
    StepModel,
    StepProbe,
    TraceMatcher,
    WelfareReward,
    WinRates,
)
from coopgym.algorithms.llm.method.slots import (
    CreditAssigner,
    Curriculum,
    GroupTransform,
    Objective,
    Sampler,
    Signal,
    Slot,
)
from coopgym.algorithms.llm.method.transforms import InterventionPatch, RejectionFilter, Repair

Options = Mapping[str, Mapping[str, Any]]
"""Parameters of a method's pieces by the class of the piece, e.g. ``{"Clip": {"kl": 0.0}}``."""

Slots = Mapping[str, str | Sequence[str]]
"""Pieces by slot, by the name of the class, e.g. ``{"sampler": "Matches", "signals": ["PairJudge"]}``."""

STATUS = "worked examples match; trains end to end in tests/algorithms/llm/test_methods.py"


@dataclass(frozen=True)
class Recipe:
    """A method in the table.

    Attributes:
        source: the paper.
        idea: what it does, in a line.
        slot: where its own idea sits.
        first_signals: signals of the fine-tuning stage that goes before, as are ``first_transforms``.
        first_steps: steps of that stage.
        settings: parameters of pieces that differ from their defaults, by the class of the piece.
        stands_in: what takes the place of a part of the paper's method that is not built; empty if nothing does.
        status: what backs it.
    """

    source: str
    idea: str
    slot: str
    credit: type[CreditAssigner]
    objective: type[Objective] = Clip
    sampler: type[Sampler] = Independent
    signals: tuple[type[Signal], ...] = ()
    transforms: tuple[type[GroupTransform], ...] = ()
    curriculum: type[Uniform] = Uniform
    critic: bool = False
    signals_first: bool = False
    first_signals: tuple[type[Signal], ...] = ()
    first_transforms: tuple[type[GroupTransform], ...] = ()
    first_steps: int = 0
    settings: Options = field(default_factory=dict)
    stands_in: str = ""
    status: str = STATUS

    def altered(self, slots: Slots) -> Recipe:
        """Return the recipe with other pieces in some slots.

        A value head is trained where the credit reads its values, and signals come before transforms if there are any.

        Raises:
            ValueError: an unknown slot or piece, or a piece that belongs to another slot.
        """
        if not slots:
            return self
        changes = {slot: _filled(slot, given) for slot, given in slots.items()}
        recipe = replace(self, **changes)
        critic = "values" in recipe.credit.reads or recipe.sampler is ValueGuidedTree
        return replace(recipe, critic=critic, signals_first=bool(recipe.transforms))

    @property
    def pieces(self) -> dict[str, type[Any]]:
        """The classes that it is made of, by name."""
        several = (*self.signals, *self.transforms, *self.first_signals, *self.first_transforms)
        return {kind.__name__: kind for kind in (self.credit, self.objective, self.sampler, self.curriculum, *several)}

    @property
    def needs(self) -> list[str]:
        """Kinds of help that its signals call for."""
        found = {need for signal in (*self.signals, *self.first_signals) for need in signal.needs}
        return sorted(found | ({"critic"} if self.critic else set()))


_RULE_FOR_STEPS = "a rule that knows the oracle scores steps, not a trained step model"

RECIPES: Mapping[str, Recipe] = {
    "grpo": Recipe("arXiv 2402.03300", "outcome against the group's", "credit", GroupZ),
    "rloo": Recipe("arXiv 2402.14740", "outcome against the other members' mean", "credit", LeaveOneOut),
    "reinforce_pp": Recipe("arXiv 2501.03262", "outcome standardised over the batch", "credit", BatchZ),
    "ppo": Recipe("arXiv 1707.06347", "a critic's advantages", "credit", PPO, ClipWithCritic, critic=True),
    "igpo": Recipe(
        "arXiv 2510.14967", "a turn earns the rise of belief in the answer", "credit", IGPO, signals=(GoldBelief,)
    ),
    "int": Recipe(
        "arXiv 2601.14209",
        "fine-tuning on the own prefix and one corrected step, then RL",
        "transform",
        GroupCenter,
        signals_first=True,
        first_signals=(SelfDiff,),
        first_transforms=(InterventionPatch,),
        first_steps=8,
        stands_in="a rule finds the first error and a script corrects it, not the model that compares itself with a "
        "reference solution",
    ),
    "matchtir": Recipe(
        "arXiv 2601.10712", "calls are matched to a scripted trace", "signal", MatchTIR, signals=(TraceMatcher,)
    ),
    "p2s": Recipe("arXiv 2601.20649", "paths that lead to a good chain earn", "signal", P2S, signals=(GoldPath,)),
    "copo": Recipe("arXiv 2508.04138", "a batch-level channel where a group agrees", "credit", COPO),
    "prorag": Recipe(
        "arXiv 2601.21912",
        "outcome and scored steps",
        "signal",
        ProRAG,
        signals=(StepModel,),
        stands_in=_RULE_FOR_STEPS,
    ),
    "treeps_rag": Recipe(
        "arXiv 2601.06922", "a turn is worth the leaves below it", "sampler", TreePS, sampler=BreadthTree
    ),
    "siop": Recipe(
        "arXiv 2605.04984", "support of the own answer among the group's", "signal", SIOP, signals=(AnswerClusters,)
    ),
    "spae": Recipe(
        "arXiv 2601.03823",
        "rises of a step potential",
        "signal",
        SPAE,
        signals=(StepProbe,),
        curriculum=MixedOnly,
    ),
    "decs": Recipe(
        "arXiv 2509.25827",
        "only what follows a sufficient prefix pays for length",
        "credit",
        DECS,
        signals=(StepJudge,),
        curriculum=EasyGate,
        settings={"DECS": {"max_length": 256}},
    ),
    "bnpo": Recipe("arXiv 2506.02864", "centred outcome over a fitted Beta density", "credit", BetaWeight),
    "h1": Recipe(
        "arXiv 2510.07312",
        "longer and longer chains, paid at the end",
        "curriculum",
        GroupCenter,
        curriculum=Horizons,
        settings={"Clip": {"aggregation": "seq_sum_const", "norm_len": 32}},
        stands_in="consecutive decisions of one game are the chain, not problems composed so that each consumes the "
        "answer before it",
    ),
    "ppr": Recipe(
        "arXiv 2509.25598",
        "principle scores shifted by the outcome, with a critic",
        "signal",
        PPR,
        ClipWithCritic,
        signals=(StepModel,),
        critic=True,
        settings={"StepModel": {"answers": False}},
        stands_in=_RULE_FOR_STEPS,
    ),
    "scope": Recipe(
        "arXiv 2602.24110",
        "nearly right rollouts are repaired",
        "transform",
        SCOPE,
        MixedPolicy,
        signals=(StepModel,),
        transforms=(Repair,),
        signals_first=True,
        stands_in=_RULE_FOR_STEPS,
    ),
    "obe": Recipe("arXiv 2509.06941", "a bonus for answers rarely seen", "credit", OutcomeExploration),
    "arenarl": Recipe(
        "arXiv 2601.06487",
        "the rank in a tournament",
        "signal",
        ArenaRL,
        signals=(PairJudge,),
        stands_in="a function compares rewards, payoffs or a rubric's points, not a model that reads both rollouts",
    ),
    "vstar": Recipe(
        "arXiv 2602.10699",
        "value-guided search, siblings compared",
        "sampler",
        VStar,
        ClipWithCritic,
        sampler=ValueGuidedTree,
        signals=(StepModel,),
        critic=True,
        settings={"ClipWithCritic": {"own": ("sibling",)}, "VStar": {"dense": "step_score"}},
    ),
    "gtalign": Recipe(
        "arXiv 2510.08872", "the geometric mean of all parties' welfare", "signal", GTAlign, signals=(WelfareReward,)
    ),
    "spo": Recipe(
        "arXiv 2401.04056",
        "how often a rollout is preferred to the group's",
        "signal",
        GroupZ,
        signals=(WinRates,),
        settings={"GroupZ": {"reward": "win_rate"}},
        stands_in="a function compares rewards, payoffs or a rubric's points, not a judge that reads both rollouts",
    ),
    "nash_mp": Recipe(
        "arXiv 2505.19731",
        "win rates, held near a slow copy and the policy before training",
        "objective",
        LeaveOneOut,
        NashProx,
        signals=(WinRates,),
        settings={"LeaveOneOut": {"reward": "win_rate"}},
        stands_in="rollouts are compared with others of the same policy, not with those of its slow copy",
    ),
}
"""Every method by name: four baselines, then the others."""

_BEYOND: tuple[type[Any], ...] = (Imitate, Imitation, Matches, MonteCarloTree, PPRReturns, RejectionFilter)
"""Pieces that no recipe of the table uses."""
_USED: Iterator[type[Any]] = (kind for recipe in RECIPES.values() for kind in recipe.pieces.values())
PIECES: Mapping[str, type[Any]] = {kind.__name__: kind for kind in chain(_USED, _BEYOND)}
"""Every piece by the name of its class."""
KINDS: Mapping[str, type[Slot]] = {
    "credit": CreditAssigner,
    "curriculum": Curriculum,
    "objective": Objective,
    "sampler": Sampler,
    "signals": Signal,
    "transforms": GroupTransform,
}
"""What may stand in each slot."""
SEVERAL = ("signals", "transforms")
"""Slots that hold a list."""


def _filled(slot: str, given: str | Sequence[str]) -> Any:
    if slot not in KINDS:
        raise ValueError(f"unknown slot {slot!r}; known: {', '.join(KINDS)}")
    names = [given] if isinstance(given, str) else list(given)
    kinds = [_piece(slot, name) for name in names]
    if slot in SEVERAL:
        return tuple(kinds)
    if len(kinds) != 1:
        raise ValueError(f"slot {slot!r}: expected one piece, got {names}")
    return kinds[0]


def _piece(slot: str, name: str) -> type[Any]:
    fitting = {title: kind for title, kind in PIECES.items() if issubclass(kind, KINDS[slot])}
    if name not in fitting:
        raise ValueError(f"slot {slot!r}: unknown piece {name!r}; known: {', '.join(sorted(fitting))}")
    return fitting[name]
