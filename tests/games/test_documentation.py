"""Docstrings of the games as reference pages: the headings of their edition, true sizes and existing keys."""

from __future__ import annotations

import inspect
import re
from typing import Any

import gymnasium
import numpy as np
import pytest

from coopgym.games.registry import game_class, games, make_game, spec

REQUIRED = {
    "released": ("Seats", "Actions", "Observation", "Payoff", "End", "Source"),
    "formal": (
        "Seats",
        "Actions",
        "Observation",
        "Payoff",
        "State",
        "End",
        "Info",
        "Off switch",
        "Closed forms and reference points",
        "Source",
        "Versions",
    ),
}
OPTIONAL = {"Agreement": "Payoff", "Membership": "Payoff", "Info": "End"}
"""Headings that some released games have, after which required one."""
HEADING = re.compile(rf"({'|'.join({*REQUIRED['released'], *REQUIRED['formal'], *OPTIONAL})}): ")
PRIVILEGED: dict[str, dict[str, Any]] = {"SynergySearch-v1": {"privileged": True}}
"""Parameters under which ``info`` holds all that is documented."""

every_game = pytest.mark.parametrize("game_id", games())
every_formal_game = pytest.mark.parametrize("game_id", games("formal"))


def sections(game_id: str) -> dict[str, str]:
    """Sections of a game's docstring by heading, in order; the summary and the dilemma under ''."""
    found = {"": ""}
    for paragraph in (inspect.getdoc(game_class(game_id)) or "").split("\n\n"):
        text = " ".join(paragraph.split())
        heading = HEADING.match(text)
        if heading is None:
            found[""] += text + "\n"
        else:
            assert heading[1] not in found, f"{game_id}: {heading[1]} twice"
            found[heading[1]] = text[heading.end() :]
    return found


def documented_keys(game_id: str) -> set[str]:
    return set(re.findall(r"(?<!`)`(\w+)`(?!`)", sections(game_id).get("Info", "")))


def joint_step_info(game_id: str) -> set[str]:
    env = gymnasium.make(f"coopgym/{game_id}", control="joint", disable_env_checker=True, **PRIVILEGED.get(game_id, {}))
    env.reset(seed=0)
    return {*env.step(np.full(spec(game_id).n_agents, 0.5))[-1]}


@every_game
def test_the_first_line_is_the_summary(game_id: str) -> None:
    assert (inspect.getdoc(game_class(game_id)) or "").split("\n")[0] == spec(game_id).summary


@every_game
def test_headings_are_those_of_the_edition_in_order(game_id: str) -> None:
    edition = spec(game_id).edition
    headings = [heading for heading in sections(game_id) if heading]
    required = REQUIRED[edition]
    assert tuple(heading for heading in headings if heading in required) == required
    for heading in set(headings) - set(required):
        assert edition == "released"
        assert headings[headings.index(heading) - 1] == OPTIONAL[heading]


@every_formal_game
def test_a_paragraph_says_why_it_is_a_dilemma(game_id: str) -> None:
    _summary, dilemma, *further = sections(game_id)[""].splitlines()
    assert not further
    assert dilemma.endswith(".")


@every_game
def test_observations_have_the_sizes_documented(game_id: str) -> None:
    game, text = make_game(game_id), sections(game_id)["Observation"]
    sizes = {view: int(size) for size, view in re.findall(r"(\d+) \((\w+)\)", text)}
    assert sizes == {view: game.observation_bounds(view)[0].shape[-1] for view in game.views}
    jointly = re.match(r"(\d+) entries jointly", text)
    assert jointly is not None
    assert int(jointly[1]) == game.joint_observation_bounds(game.spec.default_view)[0].shape[-1]


@every_game
def test_actions_and_horizon_are_those_documented(game_id: str) -> None:
    game, text = make_game(game_id), sections(game_id)
    limits = [float(limit) for limit in re.findall(r"\[0, (\d+)\]", text["Actions"])]
    assert limits == list(dict.fromkeys(game.spec.endowments)) or limits == list(game.spec.endowments)
    assert re.search(rf"\bafter {game.spec.horizon} steps", text["End"])


@every_formal_game
def test_norms_are_those_documented(game_id: str) -> None:
    game = make_game(game_id)
    norms = [float(norm) for norm in re.findall(r"[\d.]*\d", sections(game_id)["Actions"].partition("norm")[2])]
    assert norms == pytest.approx(list(dict.fromkeys(game.spec.baselines.round(9))))


@every_game
def test_info_has_the_keys_documented(game_id: str) -> None:
    assert documented_keys(game_id) <= joint_step_info(game_id)


@every_formal_game
def test_every_key_of_a_formal_game_is_documented(game_id: str) -> None:
    common = joint_step_info("SynergySearch-v1") - documented_keys("SynergySearch-v1")
    assert documented_keys(game_id) == joint_step_info(game_id) - common


@every_formal_game
def test_parameters_named_exist(game_id: str) -> None:
    parameters = make_game(game_id).parameter_dict()
    for named in re.findall(r"``(\w+)(?:=[^`]*)?``", inspect.getdoc(game_class(game_id)) or ""):
        assert named in {*parameters, "options"}, f"{game_id} has no parameter {named}"
