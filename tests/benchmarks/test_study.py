"""Study files: what is read, and what is said about mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coopgym.agents import constant_names
from coopgym.benchmarks.study import StudyError, load_study, shipped_studies
from coopgym.games.registry import games, make_game


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


BLOCK = '[[blocks]]\ngames = ["TrustDilemma-v1"]\n'


def test_shipped_studies_load() -> None:
    assert {"audit", "quick", "reference-audit", "surface"} <= set(shipped_studies())
    for name in shipped_studies():
        assert load_study(name).name == name
    quick, surface = load_study("quick"), load_study("surface")
    assert quick.blocks[0].games == list(games("formal"))
    assert [entry.name for entry in quick.blocks[1].learners] == ["IPPO"]
    assert surface.blocks[0].constants is not None
    assert len(surface.blocks[0].constants.agents) == 101


def test_the_published_study_scans_the_published_constants_where_they_differ() -> None:
    own, published = (block for block in load_study("reference-study").blocks if block.constants)
    assert own.constants is not None
    assert published.constants is not None
    unequal = [id for id in games("released") if np.ptp(make_game(id).spec.endowments) > 0.0]
    assert (own.games, sorted(published.games)) == (list(games("released")), sorted(unequal))
    assert own.constants.agents == constant_names()
    assert published.constants.agents == tuple(f"Published_{name}" for name in constant_names())


def test_groups_and_ids_mix_without_repeating(tmp_path: Path) -> None:
    text = 'name = "x"\n[[blocks]]\ngames = ["SLCD-v0", "all-v1", "SLCD-v1"]\nagents = ["Random"]\n'
    chosen = load_study(write(tmp_path, text)).blocks[0].games
    assert sorted(chosen) == sorted(["SLCD-v0", *games("formal")])


def test_reward_modes_get_their_canonical_name(tmp_path: Path) -> None:
    text = 'name = "x"\nrewards = ["private", "mutuality=0.50"]\n' + BLOCK + 'agents = ["Random"]\n'
    assert load_study(write(tmp_path, text)).rewards == ["private", "mutuality=0.5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "x\n', r"mine\.toml: not valid TOML: .*line 1"),
        ('name = "x"\n', r"mine\.toml: nothing to run; give at least one of \[\[blocks\]\]"),
        ('name = "x"\nseed = [1]\n' + BLOCK, r"unknown key 'seed'; did you mean 'seeds'\?"),
        ('name = "x"\n' + BLOCK, r"blocks\[0\]: nobody to play; give at least one of `agents`"),
        ('name = "x"\n' + BLOCK + 'agnts = ["Random"]\n', r"blocks\[0\]: unknown key 'agnts'; did you mean 'agents'"),
        ('name = "x"\n' + BLOCK + 'agents = ["TitForTatt"]\n', r"blocks\[0\]\.agents: .*did you mean 'TitForTat'"),
        ('name = "x"\n' + BLOCK + 'agents = ["absent:Me"]\n', r"no module 'absent'"),
        (
            'name = "x"\n[[blocks]]\ngames = ["SLDC-v1"]\n',
            r"blocks\[0\]\.games: unknown game 'SLDC-v1'; did you mean 'SLCD",
        ),
        ('name = "x"\nrewards = ["privat"]\n' + BLOCK, r"rewards: unknown reward 'privat'; did you mean 'private'"),
        ('name = "x"\nepisodes = 0\n' + BLOCK, r"episodes = 0: input should be greater than or equal to 1"),
        ('name = "x"\nseeds = []\n' + BLOCK, r"seeds = \[\]: list should have at least 1 item"),
        ('name = "a/b"\n' + BLOCK, r"name = 'a/b': string should match pattern"),
        ('name = "x"\n' + BLOCK + "constants = { from = 60, to = 40 }\n", r"constants: from=60 lies above to=40"),
        ('name = "x"\n' + BLOCK + "constants = {}\nparameters = { gama = 1 }\n", r"did you mean 'gamma'"),
        (
            'name = "x"\n' + BLOCK + '[[blocks.learners]]\nname = "IPO"\nenv_steps = 10\n',
            r"blocks\[0\]\.learners\[0\]: unknown learner 'IPO'; did you mean 'IPPO'",
        ),
        (
            'name = "x"\n'
            + BLOCK
            + '[[blocks.learners]]\nname = "IPPO"\nenv_steps = 10\nhyperparameters = {clip_range = -1}\n',
            r"hyperparameters of IPPO: .*clip",
        ),
        (
            'name = "x"\n'
            + BLOCK
            + "learners = [{ name = 'IPPO', env_steps = 1 }, { name = 'IPPO', env_steps = 2 }]\n",
            r"learner 'IPPO' has two budgets on .*; give one of them another `label`",
        ),
        (
            'name = "x"\n'
            + BLOCK
            + "learners = [{ name = 'IPPO', env_steps = 1 }, "
            + "{ name = 'IPPO', env_steps = 1, hyperparameters = { gamma = 0.5 } }]\n",
            r"two learners called 'IPPO' differ; give one of them another `label`",
        ),
    ],
)
def test_mistakes_are_named_with_file_key_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        load_study(write(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "mine.toml"))


def test_a_learner_may_have_another_budget_on_another_game(tmp_path: Path) -> None:
    learners = "[[blocks]]\ngames = ['{}']\nlearners = [{{ name = 'IPPO', env_steps = {} }}]\n"
    text = 'name = "x"\n' + learners.format("SLCD-v1", 1) + learners.format("TrustDilemma-v1", 2)
    study = load_study(write(tmp_path, text))
    assert [block.learners[0].env_steps for block in study.blocks] == [1, 2]


def test_an_unknown_study_names_the_nearest() -> None:
    with pytest.raises(StudyError, match=r"unknown study 'quik'; did you mean 'quick'\?"):
        load_study("quik")


def test_a_module_that_breaks_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken_agent_module.py").write_text("1 / 0\n")
    with pytest.raises(StudyError, match="'broken_agent_module:Me' cannot be imported: ZeroDivisionError"):
        load_study("quick").with_agent("broken_agent_module:Me")
