"""Intervals hold the truth about as often as they say, for the numbers of seeds that statements are made from."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.benchmarks.score.bootstrap import Bootstrap
from coopgym.benchmarks.score.coverage import CHANCES, bootstrap_coverage, student_coverage
from coopgym.benchmarks.score.estimates import FEWEST


@pytest.mark.slow
@pytest.mark.parametrize("chance", CHANCES)
@pytest.mark.parametrize("seeds", [FEWEST, 7, 10])
def test_students_interval_covers_over_twenty_games(chance: str, seeds: int) -> None:
    assert student_coverage(CHANCES[chance], seeds, 20, 20_000, np.random.default_rng(seeds)) == pytest.approx(
        0.95, abs=0.015
    )


@pytest.mark.slow
def test_the_bootstrap_of_three_seeds_and_the_middle_half_of_games_do_not() -> None:
    rng = np.random.default_rng(0)
    assert bootstrap_coverage(CHANCES["normal"], 3, 1, 500, rng, Bootstrap(500)) < 0.8
    assert student_coverage(CHANCES["collapsing"], FEWEST, 20, 20_000, rng, middle=True) < 0.75
