"""Designs that are read from files: what they pay, how they are known, and what files are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.testing as npt
import pytest

from coopgym.agents import Seat
from coopgym.algorithms.reward_models.designed import Designed, DesignTable, read_design
from coopgym.benchmarks.study import RunSpec, Study, expand
from coopgym.games.registry import make_game
from coopgym.games.step import Step
from coopgym.rewards import ObservedStep, Rewards, reward_layer
from coopgym.testing import check_transform
from coopgym.testing.tape import random_tape, replay

GAME = "TeamProduction-v1"
FILE = Path(__file__).parents[2] / "data" / "team_design.json"
TABLE = read_design(FILE)


def test_a_design_keeps_what_it_declares() -> None:
    check_transform(f"designed({FILE}, everyone=true)", games=(GAME,))


def test_a_step_is_paid_by_the_situation_before_it_and_the_nearest_level() -> None:
    game, table = make_game(GAME, max_steps=12), TABLE.table
    tape = random_tape(game, 12, (40,), seed=3)
    running = Designed(str(FILE)).running(game, (40,))
    seat = Seat.of(game, TABLE.seat, "own", "private")
    added = 0
    for t, (before, actions, transition) in enumerate(replay(game, tape)):
        step = Step(game, t, before, actions, transition)
        paid = running(ObservedStep.of(step), 0.0 * actions)
        situation = TABLE.situations.seen(seat, game.observe_seat(before, "own", seat.index), t)
        level = np.rint(actions[:, seat.index] / seat.endowment * (TABLE.levels - 1)).astype(int)
        npt.assert_allclose(paid[:, seat.index], table[situation, level])
        npt.assert_array_equal(np.delete(paid, seat.index, axis=1), 0.0)
        added += np.count_nonzero(paid)
    assert added > 20


def test_what_is_written_reads_back_and_the_hash_is_of_what_is_paid(tmp_path: Path) -> None:
    file = tmp_path / "again.json"
    file.write_text(TABLE.written(partner="somebody else"))
    assert read_design(file) == TABLE
    assert Designed(str(file)) == Designed(str(FILE))
    assert Designed(str(file)).key == Designed(str(FILE)).key
    file.write_text(FILE.read_text().replace("0.125", "0.5"))
    assert Designed(str(file)).key != Designed(str(FILE)).key


def test_a_file_that_has_changed_is_refused_and_so_is_one_that_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "design.json"
    file.write_text(FILE.read_text())
    name = Designed(str(file)).name
    file.write_text(FILE.read_text().replace("0.125", "0.5"))
    with pytest.raises(ValueError, match="and no longer"):
        reward_layer(f"private + {name}")
    file.unlink()
    with pytest.raises(ValueError, match="coopgym reward design GAME --json"):
        reward_layer(f"private + {name}")


def test_runs_are_known_by_the_design_and_not_by_its_place(tmp_path: Path) -> None:
    copy, other = tmp_path / "copy.json", tmp_path / "other.json"
    copy.write_text(FILE.read_text())
    other.write_text(FILE.read_text().replace("0.125", "0.5"))
    ids = [_run(file).run_id for file in (FILE, copy, other)]
    assert ids[0] == ids[1] != ids[2]
    assert isinstance(reward_layer(_run(copy).replica[0]), Rewards)


def _run(design: Path) -> RunSpec:
    block = {"games": [GAME], "learners": [{"name": "IPPO", "env_steps": 200}]}
    rewards = [f"private + designed({design})"]
    (run,) = expand(Study(name="mine", rewards=rewards, seeds=[1], blocks=[block]))
    return run


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "csv"}, "no design"),
        ({"levels": 1}, "levels=1: expected at least 2"),
        ({"levels": True}, "levels=True"),
        ({"times": "two"}, "times='two'"),
        ({"trust_edges": [0.6, 0.3]}, "ascending"),
        ({"situations": [{"trust": 0, "partner": "near", "time": 0, "added": [0.0] * 4}]}, "below, at, above"),
        ({"situations": [{"trust": 3, "partner": "at", "time": 0, "added": [0.0] * 4}]}, "trust=3; expected a bin"),
        ({"situations": [{"trust": 0, "partner": "at", "time": 0, "added": [0.0]}]}, "expected 4, one per level"),
        ({"situations": [{"trust": 0, "partner": "at", "time": 0, "added": [float("nan")] * 4}]}, "finite"),
        ({"situations": [{"trust": 0, "partner": "at", "time": 0, "added": [0.0] * 4}] * 2}, "name each once"),
    ],
)
def test_what_is_no_design_is_refused_with_what_is_wrong(tmp_path: Path, change: Mapping[str, Any], told: str) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({**json.loads(FILE.read_text()), **change}))
    with pytest.raises(ValueError, match=told) as caught:
        read_design(file)
    assert str(file) in str(caught.value)


def test_a_design_is_for_one_game_and_its_seats(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="designed for TeamProduction-v1, not for TrustDilemma-v1"):
        Designed(str(FILE)).check(make_game("TrustDilemma-v1"))
    file = tmp_path / "seat.json"
    file.write_text(DesignTable(GAME, 99, 2, (), 1, ()).written())
    with pytest.raises(ValueError, match="seat=99"):
        Designed(str(file)).check(make_game(GAME))
