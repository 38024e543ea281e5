"""Importing the package is cheap: what is heavy is imported when it is used."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

import coopgym

HEAVY = ("torch", "pettingzoo", "matplotlib", "stable_baselines3", "scipy", "pyarrow", "pandas", "pydantic", "typer")
PUBLIC = (
    "aec_env",
    "games",
    "load_corpus",
    "make_game",
    "parallel_env",
    "reward_layer",
    "spec",
    "text_env",
    "torch_env",
)


def imported_by(statements: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after running ``statements``."""
    program = f"{statements}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "statements",
    [
        "import coopgym",
        "import coopgym; coopgym.games(); coopgym.spec('TrustDilemma-v1')",
        "import coopgym, gymnasium; gymnasium.make('coopgym/TrustDilemma-v1').reset(seed=0)",
        "import coopgym, gymnasium; gymnasium.make_vec('coopgym/TrustDilemma-v1', num_envs=2).reset(seed=0)",
        "import coopgym; coopgym.text_env('TrustDilemma-v1').send(0, 'submit .5')",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(statements: str) -> None:
    assert imported_by(statements) & set(HEAVY) == set()


@pytest.mark.parametrize(
    ("call", "module"),
    [
        ("coopgym.parallel_env('TrustDilemma-v1')", "pettingzoo"),
        ("coopgym.torch_env('TrustDilemma-v1', 2)", "torch"),
    ],
)
def test_what_an_interface_needs_is_imported_by_it(call: str, module: str) -> None:
    assert imported_by(f"import coopgym; {call}") & set(HEAVY) >= {module}


@pytest.mark.skipif(find_spec("pettingzoo.env_registry") is None, reason="PettingZoo before 1.27 has no registry")
@pytest.mark.parametrize("order", ["pettingzoo, coopgym", "coopgym, pettingzoo, coopgym.interfaces.pettingzoo"])
def test_pettingzoo_knows_the_games_whichever_is_imported_first(order: str) -> None:
    imported_by(f"import {order}; pettingzoo.make('parallel', 'coopgym/TrustDilemma-v1')")


def test_the_public_names_are_listed_and_found() -> None:
    assert set(PUBLIC) == set(coopgym.__all__)
    assert set(PUBLIC) <= set(dir(coopgym))
    for name in PUBLIC:
        assert callable(getattr(coopgym, name))
    assert coopgym.__version__
    with pytest.raises(AttributeError, match="no attribute 'gams'; it has aec_env, games"):
        coopgym.gams  # noqa: B018


@pytest.mark.parametrize(
    "before", ["", "import coopgym.games.registry", "coopgym.parallel_env", "coopgym.games('formal')"]
)
def test_games_are_listed_whatever_was_imported_before(before: str) -> None:
    """The function and the subpackage share a name."""
    imported_by(f"import coopgym; {before}\nassert len(coopgym.games()) == 2 * len(coopgym.games('formal')) == 40")
