"""What one learner makes of rewards that are shaped, paid for trust, held back or redistributed, from a corpus."""

from __future__ import annotations

from collections.abc import Sequence

from coopgym.benchmarks.documentation.sources import REWARDS, Run, chosen, runs
from coopgym.benchmarks.documentation.wording import over_seeds, paragraph, short, table
from coopgym.benchmarks.score.estimates import score_text

LEARNER = "IPPO"


def learned_under_transforms() -> str:
    """Return what a learner earns under a mode, and how much more or less with each transform, paired by seed."""
    learned = chosen(runs(REWARDS), algorithm_kind="learner")
    games = sorted({run.environment for run in learned})
    rows = [
        (f"`{mode}{transforms}`", *(_cell(learned, mode, transforms, game) for game in games))
        for mode in ("private", "cooperative")
        for transforms in ("", *sorted({_transforms(run) for run in learned if run.reward_mode == mode} - {""}))
    ]
    steps = max(run.env_steps or 0 for run in learned)
    seeds = len({run.seed for run in learned})
    words = paragraph(f"""
        Returns of {LEARNER} under the mode alone, sums over all seats, after up to {steps:,} steps under the reward
        that is named; with a transform, what it earns more than without, paired by seed: {seeds} seeds, 95 % intervals
        (Student's t). Corpus `{REWARDS}`.
    """)
    return f"{table(('reward', *map(short, games)), rows)}\n\n{words}"


def _cell(learned: Sequence[Run], mode: str, transforms: str, game: str) -> str:
    plain, other = (_returns(learned, mode, each, game) for each in ("", transforms))
    return over_seeds(other if not transforms else [b - a for a, b in zip(plain, other, strict=True)], score_text)


def _returns(learned: Sequence[Run], mode: str, transforms: str, game: str) -> list[float]:
    found = chosen(learned, environment=game, reward_mode=mode, algorithm=LEARNER + transforms)
    return [run.return_mode for run in found]


def _transforms(run: Run) -> str:
    return run.algorithm.removeprefix(LEARNER)
