"""A batch by hand with everything that goes wrong: see the members."""

import numpy as np
import pytest

from coopgym.algorithms.llm.play.trajectories import Batch
from tests.algorithms.llm.credit.handmade import annotate, batch_of, rollout


@pytest.fixture
def batch() -> Batch:
    mixed = [
        rollout("ttta", (3, 1, 4, 2), "xyzA", outcome=1.0, levels=(0.5,)),
        rollout("tfa", (2, 5, 2), "xwA", outcome=0.2, answer=0.3),
        rollout("tt", (2, 2), "xy", outcome=0.0),
        rollout("oa", (6, 1), "?A", outcome=0.4, answer=0.52),
    ]
    flat = [rollout("ta", (n, 2), "xA", outcome=0.5) for n in (1, 2, 3)]
    alone = [rollout("a", (2,), "A", outcome=1.0)]
    return annotate(batch_of(mixed, flat, alone), np.random.default_rng(7))
