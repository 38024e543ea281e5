"""Every learner is imported by its name, from the package of all learners or of its kind."""

from __future__ import annotations

import pytest

import coopgym.algorithms
import coopgym.algorithms.llm
import coopgym.algorithms.marl
from coopgym.algorithms import LEARNERS, learners


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_is_found_in_both_packages_that_offer_it(name: str) -> None:
    kind = LEARNERS[name].split(".")[2]
    learner = getattr(getattr(coopgym.algorithms, kind), name)
    assert learner.__name__ == name
    assert learner is getattr(coopgym.algorithms, name) is learners()[name]


@pytest.mark.parametrize("package", [coopgym.algorithms, coopgym.algorithms.marl])
def test_a_package_lists_what_it_offers(package: object) -> None:
    assert {"MAPPO", "IQL", "SB3PPO"} <= set(dir(package))
    assert all(hasattr(package, name) for name in dir(package))
    with pytest.raises(AttributeError, match=r"no attribute 'MAPO'; it has .*MAPPO"):
        package.MAPO  # noqa: B018
