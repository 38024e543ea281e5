"""Pictures of an episode: text, printed text, and frames."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import gymnasium
import numpy as np
import pytest

from tests.interfaces.playing import aec_env, by_agent, joint_env, parallel_env, seat_env, vector_env

FEW_AND_MANY = pytest.mark.parametrize("game_id", ["PartnerHoldUp-v1", "PartnerHoldUp-v0", "ApacheProject-v1"])


def played(game_id: str, mode: str, steps: int = 3) -> Any:
    env = joint_env(game_id, render_mode=mode)
    env.reset(seed=0)
    for _ in range(steps):
        env.step(0.8 * env.action_space.high)
    return env


@FEW_AND_MANY
def test_text_tells_step_conduct_and_trust_of_everyone(game_id: str) -> None:
    env = played(game_id, "ansi")
    heading, columns, *rows, summary = env.render().splitlines()
    spec, state = env.game.spec, env._engine.state
    assert heading == f"{game_id}  step 3/{spec.horizon}"
    assert columns.split()[:2] == ["payoff", "cooperation"]
    paid = [float(row.split("%")[0].split()[-3]) for row in rows]
    assert paid == pytest.approx(env._engine.advance(0.8 * spec.endowments)[0].payoffs, abs=0.2)
    assert [row.startswith(role) for row, role in zip(rows, spec.roles, strict=True)] == [True] * spec.n_agents
    assert all(" 80%  " in row for row in rows)
    assert f"mean trust {env.game.diagnostics(state)['mean_trust']:.3f}" in summary
    assert max(map(len, rows)) < 80


def test_text_shows_whom_each_of_a_few_agents_trusts() -> None:
    env = joint_env("AppleAppStore-v1", render_mode="ansi")
    env.reset(options={"initial_state": {"trust": [[1.0, 0.12, 0.34], [0.56, 1.0, 0.78], [0.9, 0.87, 1.0]]}})
    rows = env.render().splitlines()[2:5]
    assert [row.split("%  ")[1].split() for row in rows] == [
        ["·", "0.12", "0.34"],
        ["0.56", "·", "0.78"],
        ["0.90", "0.87", "·"],
    ]


def test_human_mode_prints_every_state_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    env = seat_env("TrustDilemma-v1", render_mode="human")
    env.reset(seed=0)
    env.step([50.0])
    printed = capsys.readouterr().out
    assert [f"step {step}/100" in printed for step in (0, 1, 2)] == [True, True, False]
    assert env.render() is None


@FEW_AND_MANY
def test_frames_show_the_course_of_the_episode(game_id: str) -> None:
    env = played(game_id, "rgb_array")
    before = env.render()
    assert before.dtype == np.uint8
    assert before.ndim == 3
    assert before.shape[2] == 3
    assert before.std() > 10  # not blank
    assert np.array_equal(env.render(), before)
    env.step(0.1 * env.action_space.high)
    after = env.render()
    assert after.shape == before.shape
    assert (after != before).any()


def test_what_stays_the_same_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    drawn = []
    draw = FigureCanvasAgg.draw
    monkeypatch.setattr(FigureCanvasAgg, "draw", lambda canvas: (drawn.append(canvas), draw(canvas)))
    env = joint_env("TrustDilemma-v1", render_mode="rgb_array")
    env.reset(seed=0)
    for _ in range(10):
        env.step(0.3 * env.action_space.high)
        env.render()
    assert len(drawn) == 1


@pytest.mark.parametrize("game_id", ["TrustDilemma-v1", "ApacheProject-v1"])
def test_frames_show_payoffs_that_leave_the_usual_range(game_id: str) -> None:
    env = played(game_id, "rgb_array")
    usual = env.render()
    picture = env._renderer._picture
    low, high = picture._usual
    course = np.full((2, env.game.n_agents), 0.3)
    for payoff in (low - 100.0, high + 1000.0):
        frame = picture.draw(env._engine.state, course, np.full_like(course, payoff))
        assert (frame != usual).any()
        bottom, top = picture._board.limits
        assert bottom <= payoff <= top
    assert np.array_equal(env.render(), usual)


def test_copies_of_a_rendering_environment_draw_the_same() -> None:
    env = played("TrustDilemma-v1", "rgb_array")
    frame = env.render()
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert np.array_equal(twin.render(), frame)


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_batches_show_every_row_as_single_environments_do(mode: str) -> None:
    env = vector_env("TrustDilemma-v1", 2, control="joint", max_steps=2, render_mode=mode, autoreset_mode="SameStep")
    single = joint_env("TrustDilemma-v1", max_steps=2, render_mode=mode)
    env.reset(seed=0)
    single.reset(seed=0)
    for _ in range(3):
        first, second = env.render()
        assert np.array_equal(first, single.render())
        assert np.array_equal(first, second)
        env.step(np.full((2, 2), 50.0))
        if single.step(np.full(2, 50.0))[3]:
            single.reset()


def test_batches_without_a_mode_show_nothing_and_print_in_human_mode(capsys: pytest.CaptureFixture[str]) -> None:
    env = vector_env("TrustDilemma-v1", 2)
    env.reset(seed=0)
    assert env.render() is None
    vector_env("TrustDilemma-v1", 2, render_mode="human").reset(seed=0)
    assert capsys.readouterr().out.count("step 0/100") == 2
    with pytest.raises(ValueError, match="render_mode='screen': expected one of ansi, human, rgb_array or None"):
        vector_env("TrustDilemma-v1", 2, render_mode="screen")


def test_frames_start_anew_with_the_episode() -> None:
    env = played("SLCD-v1", "rgb_array")
    env.reset(seed=0)
    assert np.array_equal(env.render(), played("SLCD-v1", "rgb_array", steps=0).render())


def test_frames_make_a_video() -> None:
    env = gymnasium.wrappers.RenderCollection(joint_env("TrustDilemma-v1", render_mode="rgb_array", max_steps=2))
    env.reset(seed=0)
    for _ in range(2):
        env.step(np.array([50.0, 50.0]))
    assert len(env.render()) == 3
    assert env.metadata["render_fps"] > 0


@pytest.mark.parametrize("make", [parallel_env, aec_env], ids=["parallel", "aec"])
def test_pettingzoo_shows_the_same_text(make: Any) -> None:
    env = make("PartnerHoldUp-v1", render_mode="ansi")
    env.reset(seed=0)
    if make is parallel_env:
        for _ in range(3):
            env.step(by_agent(env, 0.8 * env.game.spec.endowments))
    else:
        for level in [96.0, 64.0] * 3:
            env.step(level)
    assert env.render() == played("PartnerHoldUp-v1", "ansi").render()


def test_without_a_mode_nothing_is_shown() -> None:
    env = joint_env("TrustDilemma-v1")
    env.reset(seed=0)
    assert env.render() is None
