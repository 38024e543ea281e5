"""Recorded episodes: what was played is what is read; filters and samples keep their laws; what is missing is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.agents import make_agent
from coopgym.agents.heuristics import Constant
from coopgym.benchmarks.execute.corpus_rows import Recorded, step_table
from coopgym.corpus import CorpusError, EpisodeDataset, load_corpus, table_from_rows, write_table, writer
from coopgym.corpus.episodes import Episode
from coopgym.games.registry import make_game
from coopgym.play import play
from coopgym.play.episodes import Trajectory
from tests.corpus.example_corpus import LABELS, sound_run

KEPT = Path(__file__).parents[1] / "data" / "corpora"
FEW = settings(max_examples=12, deadline=None)


def played(game_id: str, agents: list[str], episodes: int, seed: int = 5, **parameters: Any) -> Trajectory:
    game = make_game(game_id, **parameters)
    named = [make_agent(agents[seat % len(agents)]) for seat in range(game.n_agents)]
    trajectory = play(game, named, reward="private", episodes=episodes, seed=seed, record=True).trajectory
    assert trajectory is not None
    return trajectory


def run_of(run_id: str, game_id: str, trajectory: Trajectory, **facts: Any) -> dict[str, Any]:
    parameters = {name: value for name, value in facts.items() if name in ("max_steps", "payoff_noise", "n_agents")}
    game = make_game(game_id, **parameters)
    return sound_run(
        run_id,
        environment=game_id,
        env_parameters=json.dumps(parameters),
        n_agents=game.n_agents,
        view=game.spec.default_view,
        **{name: value for name, value in facts.items() if name not in parameters},
    )


def write(folder: Path, runs: list[dict[str, Any]], steps: list[pa.Table]) -> Path:
    write_table("steps", pa.concat_tables(steps), folder / "steps" / "one.parquet", **LABELS)
    write_table("runs", table_from_rows("runs", runs), folder / "runs" / "one.parquet", **LABELS)
    return folder


def same(one: Episode, other: Episode) -> bool:
    arrays = ("observations", "actions", "logprobs", "rewards", "payoffs")
    facts = ("run_id", "number", "game", "parameters", "reward", "view", "behaviour", "terminated", "truncated")
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in arrays) and all(
        getattr(one, name) == getattr(other, name) for name in facts
    )


def require_played(episode: Episode, trajectory: Trajectory) -> None:
    k = episode.number
    length = int(trajectory.alive[:, k].sum())
    assert len(episode) == length
    np.testing.assert_array_equal(episode.observations[:-1], trajectory.observations[:length, k].astype(np.float32))
    np.testing.assert_array_equal(episode.observations[-1], trajectory.final_observations[k].astype(np.float32))
    for name, recorded in (
        ("actions", trajectory.shares),
        ("logprobs", trajectory.logprobs),
        ("rewards", trajectory.rewards),
        ("payoffs", trajectory.payoffs),
    ):
        np.testing.assert_array_equal(getattr(episode, name), recorded[:length, k], err_msg=name)
    assert episode.terminated == trajectory.terminated[:, k].any()
    assert episode.truncated == trajectory.truncated[:, k].any()


@FEW
@given(
    game=st.sampled_from([("TrustDilemma-v1", {}), ("TeamProduction-v1", {"n_agents": 3}), ("TrustDilemma-v0", {})]),
    agents=st.lists(st.sampled_from(["Random", "TitForTat", "Constant_00"]), min_size=1, max_size=3),
    episodes=st.integers(1, 4),
    rows=st.integers(1, 40),
)
def test_what_was_played_is_what_is_read(
    game: tuple[str, dict[str, Any]], agents: list[str], episodes: int, rows: int, tmp_path_factory: Any
) -> None:
    game_id, parameters = game
    parameters = {**parameters, "max_steps": 9}
    trajectory = played(game_id, agents, episodes, **parameters)
    seats = [agents[seat % len(agents)] for seat in range(trajectory.actions.shape[-1])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "ROW_GROUP_ROWS", rows)  # episodes lie across row groups
        folder = write(
            tmp_path_factory.mktemp("episodes"),
            [run_of("a", game_id, trajectory, **parameters)],
            [step_table("a", Recorded(trajectory, seats))],
        )
    dataset = EpisodeDataset(folder)
    assert len(dataset) == episodes
    for number, episode in enumerate(dataset):
        require_played(episode, trajectory)
        assert episode.number == number
        assert episode.behaviour == tuple(seats)
        assert episode.recover_game().parameters == make_game(game_id, **parameters).parameters
        assert len(episode.seats) == len(seats)
    np.testing.assert_allclose(dataset.returns, trajectory.rewards.sum((0, 2)))


def test_episodes_that_end_early_stop_where_they_ended(tmp_path: Path) -> None:
    trajectory = played("TrustDilemma-v0", ["Constant_00", "Random"], 3)
    lengths = trajectory.alive.sum(0)
    assert lengths.max() < 100, "this play ends early"
    folder = write(
        tmp_path, [run_of("a", "TrustDilemma-v0", trajectory)], [step_table("a", Recorded(trajectory, ["x", "y"]))]
    )
    for episode in EpisodeDataset(folder):
        assert episode.terminated
        assert not episode.truncated
        require_played(episode, trajectory)


def test_only_draws_have_a_probability(tmp_path: Path) -> None:
    trajectory = played("PartnerHoldUp-v1", ["Random", "TitForTat"], 1, max_steps=3)
    run = run_of("a", "PartnerHoldUp-v1", trajectory, max_steps=3)
    (episode,) = EpisodeDataset(
        write(tmp_path, [run], [step_table("a", Recorded(trajectory, ["Random", "TitForTat"]))])
    )
    assert (episode.logprobs[:, 0] == 0.0).all()
    assert np.isnan(episode.logprobs[:, 1]).all()


def test_the_random_agent_of_the_published_study_is_cut_at_its_endowment() -> None:
    trajectory = played("PartnerHoldUp-v0", ["Published_Random"], 200, max_steps=20)
    shares, logprobs = trajectory.shares, trajectory.logprobs
    endowments = make_game("PartnerHoldUp-v0").spec.endowments
    for seat, reach in enumerate(endowments.max() / endowments):
        alive = trajectory.alive.astype(bool)
        cut = shares[..., seat][alive] == 1.0
        assert cut.mean() == pytest.approx(1.0 - 1.0 / reach, abs=0.03)
        expected = np.where(cut, np.log(1.0 - 1.0 / reach) if reach > 1.0 else np.nan, -np.log(reach))
        np.testing.assert_allclose(logprobs[..., seat][alive], expected, atol=1e-12)


class Careless(Constant):
    """Tells one probability for all episodes."""

    action_logprob = np.zeros(1)


def test_what_agents_tell_of_their_draws_has_to_fit() -> None:
    game = make_game("TrustDilemma-v1", max_steps=2)
    agents = [make_agent("Random"), Careless(0.5)]
    with pytest.raises(ValueError, match=r"Careless in seat 1: expected one action_logprob per episode, shape \(3,\)"):
        play(game, agents, episodes=3, record=True)
    assert play(game, agents, episodes=3).trajectory is None


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> EpisodeDataset:
    """A thousand episodes and one."""
    runs, steps = [], []
    for run_id, agents, count, facts in (
        ("a", ["Random"], 700, {"seed": 1}),
        ("b", ["Random", "Constant_20"], 299, {"seed": 2, "algorithm": "Random", "protocol": "scenario"}),
        ("c", ["Constant_20"], 1, {"seed": 1, "algorithm": "Constant_20"}),
        ("d", ["TitForTat"], 1, {"seed": 1, "reward_mode": "integrated"}),
    ):
        trajectory = played("TrustDilemma-v1", agents, count, max_steps=3)
        runs.append(run_of(run_id, "TrustDilemma-v1", trajectory, max_steps=3, **{"scenario": None, **facts}))
        steps.append(step_table(run_id, Recorded(trajectory, [agents[seat % len(agents)] for seat in range(2)])))
    return EpisodeDataset(write(tmp_path_factory.mktemp("many"), runs, steps))


def ids(episodes: Any) -> list[tuple[str, int]]:
    return [(episode.run_id, episode.number) for episode in episodes]


ASKED = st.fixed_dictionaries(
    {},
    optional={
        "game": st.sampled_from(["TrustDilemma-v1", ["TrustDilemma-v1"]]),
        "algorithm": st.sampled_from(["Random", ["Constant_20", "Random"]]),
        "reward": st.sampled_from(["private", "integrated"]),
        "seed": st.sampled_from([1, 2, (1, 2)]),
        "protocol": st.sampled_from(["self_play", "scenario"]),
        "behaviour": st.sampled_from(["Random", "Constant_20", {"TitForTat", "Constant_20"}]),
        "min_return": st.floats(9.0, 12.0),
        "max_return": st.floats(9.0, 12.0),
    },
)


class TestFilters:
    @FEW
    @given(first=ASKED, second=ASKED)
    def test_they_commute_and_keep_the_order(
        self, many: EpisodeDataset, first: dict[str, Any], second: dict[str, Any]
    ) -> None:
        one, other = (each._chosen for each in (many.filter(**first), many.filter(**second)))
        both = np.intersect1d(one, other)
        np.testing.assert_array_equal(many.filter(**first).filter(**second)._chosen, both)
        np.testing.assert_array_equal(many.filter(**second).filter(**first)._chosen, both)
        np.testing.assert_array_equal(many.filter(**first).filter(**first)._chosen, one)

    def test_they_say_what_was_asked_for(self, many: EpisodeDataset) -> None:
        assert len(many) == 1001
        assert len(many.filter()) == 1001
        met = many.filter(behaviour="Constant_20")
        assert len(met) == 300
        assert {episode.behaviour for episode in met} == {("Random", "Constant_20"), ("Constant_20", "Constant_20")}
        assert met.behaviours == ("Constant_20", "Random")
        assert ids(many.filter(reward="integrated")) == [("d", 0)]
        best = np.sort(many.returns)[-10]
        top = many.filter(min_return=best)
        assert len(top) == 10
        assert all(episode.returns.sum() >= best - 1e-9 for episode in top)
        assert len(many.filter(min_return=1e9)) == 0
        assert many.runs.column("run_id").to_pylist() == ["a", "b", "c", "d"]
        assert met.runs.column("run_id").to_pylist() == ["b", "c"]

    def test_worlds_are_told_apart_whatever_the_age_of_the_corpus(self) -> None:
        kept = EpisodeDataset(KEPT / "schema-1.5")
        in_a_world = kept.filter(world="common")
        assert in_a_world.recover_game().parameter_dict()["world"] == "common"
        assert len(in_a_world) + len(kept.filter(world="fixed")) == len(kept)

    def test_what_nobody_knows_is_an_error(self, many: EpisodeDataset) -> None:
        with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
            many.filter(colour="red")  # type: ignore[call-arg]
        with pytest.raises(ValueError, match=r"game='TrustDilema-v1': .*did you mean 'TrustDilemma-v1'"):
            many.filter(game="TrustDilema-v1")
        with pytest.raises(ValueError, match=r"seed=3: no recorded episode has it; there are: 1, 2"):
            many.filter(seed=[1, 3])
        with pytest.raises(ValueError, match=r"scenario='among': no recorded episode has it; there are: none"):
            many.filter(scenario="among")
        with pytest.raises(ValueError, match="behaviour='Rando'"):
            many.filter(behaviour="Rando")


class TestSamples:
    @FEW
    @given(n=st.integers(0, 40), seed=st.integers(0, 99))
    def test_they_are_the_generator_s_and_hold_nothing_twice(self, many: EpisodeDataset, n: int, seed: int) -> None:
        drawn, again = (many.sample(n, np.random.default_rng(seed)) for _ in range(2))
        assert all(map(same, drawn, again))
        assert len(set(ids(drawn))) == n

    def test_a_sample_of_everything_is_everything(self, many: EpisodeDataset) -> None:
        some = many.filter(protocol="scenario")
        drawn = some.sample(len(some), np.random.default_rng(0))
        assert ids(drawn) != ids(some)
        assert sorted(ids(drawn)) == sorted(ids(some))
        with pytest.raises(ValueError, match="n=300: there are 299 episodes to draw from"):
            some.sample(300, np.random.default_rng(0))

    def test_all_are_as_likely(self, many: EpisodeDataset) -> None:
        few = many.filter(min_return=np.sort(many.returns)[-4])
        rng, counts = np.random.default_rng(0), dict.fromkeys(ids(few), 0)
        for _ in range(400):
            counts[ids(few.sample(1, rng))[0]] += 1
        assert min(counts.values()) > 60


def test_a_dataset_is_a_sequence_for_loaders(many: EpisodeDataset) -> None:
    tail = many.filter(algorithm="Constant_20")
    assert len(tail) == 1
    assert same(tail[0], many[-2])
    assert repr(many) == "EpisodeDataset of 1,001 episodes from 4 runs of TrustDilemma-v1"
    with pytest.raises(IndexError):
        many[1001]
    tail[0].actions[:] = 0.0
    assert (many[-2].actions == 0.2).all(), "arrays are the receiver's"


def test_the_game_of_a_dataset_is_recovered_if_it_is_one(many: EpisodeDataset, tmp_path: Path) -> None:
    assert many.recover_game().spec.horizon == 3
    short = played("TrustDilemma-v1", ["Random"], 1, max_steps=2)
    other = played("TrustDilemma-v1", ["Random"], 1, max_steps=4)
    runs = [run_of(id, "TrustDilemma-v1", each, max_steps=n) for id, each, n in (("a", short, 2), ("b", other, 4))]
    both = EpisodeDataset(
        write(
            tmp_path, runs, [step_table("a", Recorded(short, ["x", "x"])), step_table("b", Recorded(other, ["y", "y"]))]
        )
    )
    with pytest.raises(
        ValueError, match=r"one game with one set of parameters, got 2: TrustDilemma-v1 \{\"max_steps\": 2"
    ):
        both.recover_game()
    assert both.filter(behaviour="y").recover_game().spec.horizon == 4
    with pytest.raises(ValueError, match="got 0"):
        both.filter(max_return=-1e9).recover_game()


class TestOlderSchemas:
    @pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "1.4"])
    def test_they_are_played_again_to_their_ends(self, version: str) -> None:
        dataset = EpisodeDataset(KEPT / f"schema-{version}")
        for episode in dataset:
            assert episode.truncated
            assert episode.observations.shape[0] == len(episode) + 1
            game = episode.recover_game()
            time = game.observation_columns(episode.view, 0)["time"]
            assert (episode.observations[-1][:, time] == 1.0).all()
            own = game.observation_columns(episode.view, 0)["own_action"]
            np.testing.assert_allclose(episode.observations[-1][:, own[0]] * game.action_scale, episode.actions[-1])
        for name in ("Random", "TitForTat"):
            assert len(dataset.filter(behaviour=name)) == len(dataset.filter(algorithm=name))
        (learner,) = {row["run_id"] for row in dataset.filter(algorithm="IPPO", reward="private").runs.to_pylist()}
        assert learner in dataset.behaviours

    @staticmethod
    def forgetful(trajectory: Trajectory, agents: list[str]) -> pa.Table:
        """Steps as schema 1.4 has them."""
        table = step_table("a", Recorded(trajectory, agents))
        for name in ("behaviour", "action_logprob", "final_observation"):
            place = table.schema.get_field_index(name)
            table = table.set_column(
                place, table.schema.field(name), pa.nulls(len(table), table.schema.field(name).type)
            )
        return table

    def test_chance_is_played_again_from_its_seed(self, tmp_path: Path) -> None:
        parameters = {"max_steps": 5, "payoff_noise": 0.3}
        trajectory = played("TrustDilemma-v1", ["Random"], 3, **parameters)
        run = run_of("a", "TrustDilemma-v1", trajectory, **parameters, identity='{"evaluation_seed": 5}')
        for episode in EpisodeDataset(write(tmp_path / "told", [run], [self.forgetful(trajectory, ["x", "x"])])):
            require_played(
                replace(episode, logprobs=trajectory.logprobs[:5, episode.number]),
                trajectory,
            )
        lost = EpisodeDataset(
            write(tmp_path / "lost", [{**run, "identity": None}], [self.forgetful(trajectory, ["x", "x"])])
        )
        with pytest.raises(
            CorpusError, match=r"its last observation was not recorded .* record it anew, or filter it out"
        ):
            lost[0]


class TestDamage:
    def corpus(self, folder: Path) -> tuple[Path, pa.Table]:
        trajectory = played("TrustDilemma-v1", ["Random"], 2, max_steps=3)
        table = step_table("a", Recorded(trajectory, ["x", "x"]))
        return write(folder, [run_of("a", "TrustDilemma-v1", trajectory, max_steps=3)], [table]), table

    def test_episodes_with_gaps_are_refused(self, tmp_path: Path) -> None:
        folder, table = self.corpus(tmp_path)
        shard = folder / "steps" / "one.parquet"
        labels = pq.read_schema(shard).metadata
        for rows in ([*range(5), *range(6, 12)], [1, 0, *range(2, 12)], [*range(11)], [*range(10)]):
            pq.write_table(table.take(rows).replace_schema_metadata(labels), shard)
            with pytest.raises(CorpusError, match=r"episode [01] of run a is incomplete, not in order"):
                EpisodeDataset(folder)
        pq.write_table(table.take([*range(12), *range(6)]).replace_schema_metadata(labels), shard)
        with pytest.raises(CorpusError, match="an episode is there twice"):
            EpisodeDataset(folder)

    def test_steps_of_no_run_are_refused(self, tmp_path: Path) -> None:
        folder, table = self.corpus(tmp_path)
        stranger = table.set_column(0, table.schema.field(0), pa.array(["nobody"] * len(table)))
        write_table("steps", stranger, folder / "steps" / "one.parquet", **LABELS)
        with pytest.raises(CorpusError, match=r"of run nobody is incomplete, .* or of a run that is not there"):
            EpisodeDataset(folder)

    def test_observations_of_several_lengths_are_refused(self, tmp_path: Path) -> None:
        folder, table = self.corpus(tmp_path)
        rows = table.to_pylist()
        rows[3]["observation"] = rows[3]["observation"][1:]
        write_table("steps", table_from_rows("steps", rows), folder / "steps" / "one.parquet", **LABELS)
        with pytest.raises(CorpusError, match=r"observations of \[8, 9\] numbers in one episode"):
            EpisodeDataset(folder)[0]

    def test_a_corpus_without_steps_says_how_to_record_some(self, tmp_path: Path) -> None:
        write_table("runs", table_from_rows("runs", [sound_run("a")]), tmp_path / "runs" / "one.parquet", **LABELS)
        with pytest.raises(ValueError, match="no recorded episodes; run the study with record_steps = true"):
            EpisodeDataset(load_corpus(tmp_path))
