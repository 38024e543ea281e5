"""The App Store: whether reciprocity explains the score, or the shocks that are dealt."""

from __future__ import annotations

import numpy as np

from coopgym.benchmarks.case_studies.case_file import CaseFile, Rubric
from coopgym.benchmarks.case_studies.reciprocity.engine import (
    MemoryRule,
    PlatformParameters,
    PlatformPath,
    Recursion,
    disjoint_windows,
    half_open_windows,
    inclusive_windows,
)
from coopgym.benchmarks.case_studies.variant import SEED, Comparison, Variant
from coopgym.games.registry import make_game
from coopgym.typing import FloatArray

SEEDS = {"reference": 500, "v2": 100}
"""The second rubric runs each seed twelve times."""
WALKS = 500
CONSTANT, WALK_START, WALK_STEP = 0.7, 0.68, 0.03


def variants(case: CaseFile, rubric: Rubric) -> tuple[Variant[PlatformPath], ...]:
    """Return both forks of what conduct is compared with."""
    parameters, game = PlatformParameters(**case.parameters), make_game(f"{case.game}-v0")
    other = tuple(map(tuple, game.spec.interdependence.tolist()))
    windows = inclusive_windows if rubric == "reference" else half_open_windows
    released = Recursion(parameters, "exponential", windows)
    documented = Recursion(parameters, "window", windows)
    return (
        _variant(
            "exponential", "conduct is compared with a baseline that adapts, as released", released, other, rubric
        ),
        _variant(
            "window", "conduct is compared with the mean of four quarters, as documented", documented, other, rubric
        ),
    )


def _variant(
    name: MemoryRule, about: str, model: Recursion, other: tuple[tuple[float, ...], ...], rubric: Rubric
) -> Variant[PlatformPath]:
    parameters, shape = model.parameters, (model.parameters.steps + 1, 3)
    still = {"rho_0": 0.0, "return_rate": 0.0, "noise": 0.0}
    apart = Recursion(parameters, name, disjoint_windows)
    published = model.run()
    early = model.changed(shocks=parameters.earlier_concession).run()
    return Variant(
        name,
        about,
        published,
        (
            Comparison("ablation", "no reciprocity", "nobody answers anybody", lambda: model.changed(rho_0=0.0).run()),
            Comparison(
                "ablation", "shocks only", "no answers, no return, no noise", lambda: model.changed(**still).run()
            ),
            Comparison(
                "sensitivity",
                "the game's dependence",
                "D of the registered game",
                lambda: model.changed(dependence=other).run(),
            ),
            Comparison("sensitivity", "windows apart", "phases end before the next begins", apart.run),
            Comparison(
                "sensitivity",
                "other noise",
                f"seeds 0 to {SEEDS[rubric] - 1}",
                lambda: model.run(model.draws(range(SEEDS[rubric]))),
            ),
            Comparison(
                "probe",
                "reference points",
                "the drawn trajectory itself",
                lambda: model.follow(parameters.reference_path()),
            ),
            Comparison(
                "null", "constant", f"{CONSTANT:g} by everybody", lambda: model.follow(np.full(shape, CONSTANT))
            ),
            Comparison(
                "null", "random walk", f"from {WALK_START:g} in normal steps", lambda: model.follow(_walks(shape))
            ),
        ),
        {
            "cooperation at the end": float(published.actions[-1].mean()),
            "cooperation at the end, had commissions been cut in 2019": float(early.actions[-1].mean()),
        },
    )


def _walks(shape: tuple[int, int]) -> FloatArray:
    steps = np.random.default_rng(SEED).normal(0.0, WALK_STEP, (shape[0], WALKS, shape[1]))
    walks = [np.full((WALKS, shape[1]), WALK_START)]
    for step in steps[1:]:
        walks.append(np.clip(walks[-1] + step, 0.0, 1.0))
    return np.stack(walks, axis=1)
