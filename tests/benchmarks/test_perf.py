"""The measuring of speed: arithmetic of the ratios, not the speeds themselves."""

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coopgym.benchmarks import perf
from coopgym.benchmarks.perf import device, learners, measure, reference
from coopgym.benchmarks.perf.measure import REFERENCE, Ratio, UnavailableError, compare, rate, ratio_of
from coopgym.extras import MissingExtraError

FACTS: dict[str, Any] = {"id": "X", "title": "a ratio", "unit": "steps/s", "floor": 1.0, "aim": 3.0}


def ratio(value: float, **changes: object) -> Ratio:
    return ratio_of([(value, 1.0)], **(FACTS | changes))


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.5, "below the floor"), (1.0, "ok"), (2.9, "ok"), (3.0, "aim reached")]
)
def test_more_is_better_by_default(value: float, verdict: str) -> None:
    assert ratio(value).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [(2.5, "below the floor"), (2.0, "ok"), (1.0, "aim reached")])
def test_less_is_better_where_it_says_so(value: float, verdict: str) -> None:
    assert ratio(value, floor=2.0, aim=1.0, at_most=True).verdict == verdict


def test_a_comparison_is_the_median_of_pairs_measured_in_turn_without_the_warm_up() -> None:
    ours, theirs, order = iter([99.0, 2.0, 4.0, 6.0]), iter([1.0, 2.0, 2.0, 1.0]), list[str]()

    def measured(name: str, values: Iterator[float]) -> float:
        order.append(name)
        return next(values)

    found = compare(lambda: measured("ours", ours), lambda: measured("theirs", theirs), quick=True, **FACTS)
    assert (found.numerator, found.denominator, found.ratio) == (4.0, 2.0, 2.0)
    assert (found.low, found.high, found.spread, found.pairs) == (1.0, 6.0, 2.5, 3)
    assert order == ["ours", "theirs", *("ours", "theirs"), *("theirs", "ours"), *("ours", "theirs")]


@given(st.lists(st.tuples(st.floats(0.1, 10.0), st.floats(0.1, 10.0)), min_size=1, max_size=9))
def test_the_interval_holds_the_ratio_and_exchanging_sides_inverts_it(pairs: list[tuple[float, float]]) -> None:
    found = ratio_of(pairs, **FACTS)
    assert found.low <= found.ratio <= found.high
    assert 0.0 <= found.spread <= found.high - found.low
    inverse = ratio_of([(below, above) for above, below in pairs], **FACTS)
    assert (inverse.low, inverse.high) == pytest.approx((1.0 / found.high, 1.0 / found.low))


@pytest.mark.parametrize("id", ["C7", "C18", *(pytest.param(id, marks=pytest.mark.slow) for id in ("C2", "C5"))])
def test_a_ratio_is_the_same_on_a_machine_twice_as_slow(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A side that came from somewhere else would not slow down with the other."""

    def measured(tick: float) -> Ratio:
        clock = itertools.count(step=tick)  # every look at it takes a tick
        monkeypatch.setattr("time.process_time", lambda: next(clock))
        return perf._measurement(perf.MEASUREMENTS[id])(True)

    monkeypatch.setattr(measure, "QUICK_PAIRS", 1)
    fast, slow = measured(1.0), measured(2.0)
    assert {slow.numerator / fast.numerator, slow.denominator / fast.denominator} in ({0.5}, {2.0})
    assert slow.ratio == fast.ratio


def test_a_rate_counts_every_repetition_with_its_amount() -> None:
    calls: list[int] = []
    assert rate(lambda: calls.append(sum(range(20_000))), 50, 8.0) > 0
    assert len(calls) == 50


def test_every_listed_ratio_can_be_measured_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    for place in perf.MEASUREMENTS.values():
        assert callable(perf._measurement(place))
    with pytest.raises(ValueError, match=r"unknown ratios C99; known: C1, C2"):
        perf.run_all(["C99"], out=tmp_path / "never.json")
    assert not (tmp_path / "never.json").exists()


def test_results_are_written_with_machine_date_and_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(perf, "_measurement", lambda place: lambda quick: ratio(2.0))
    perf.run_all(["C1"], quick=True, out=tmp_path / "perf.json")
    document = json.loads((tmp_path / "perf.json").read_text())
    assert document["command"] == "coopgym bench C1 --quick"
    assert {"date", "machine", "versions"} <= set(document)
    assert {"numerator", "denominator", "low", "high", "spread", "pairs"} <= set(document["ratios"][0])
    assert document["ratios"][0]["verdict"] == "ok"
    assert "a ratio" in capsys.readouterr().out


@pytest.mark.parametrize(
    "id", ["CooperativeNegotiation-v0", "LoyaltyTeam-v0", "TrustDilemma-v1", "GraduatedSanction-v1"]
)
def test_single_precision_stays_close_to_double_precision(id: str) -> None:
    assert device._single_precision_error(id, "cpu", batch=4) < 1e-4


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a CUDA device")
def test_device_ratios_say_that_they_need_a_device() -> None:
    with pytest.raises(ValueError, match="need a CUDA device"):
        perf.run_all(["G2"])


def test_a_learner_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match=r"there is no learner 'Nobody' to measure; known: .*IPPO"):
        learners.learner_named("Nobody")


STANDS_IN = """
import gymnasium

class Environment:
    "Our own game in the place of the reference's, with a vector of rewards as there."
    def __init__(self, id):
        self.env = gymnasium.make(f"coopgym/{id}", control="joint", disable_env_checker=True).unwrapped

    def reset(self, seed=None):
        return self.env.reset(seed=seed)

    def step(self, actions):
        observation, _, terminated, truncated, info = self.env.step(actions)
        return observation, FACTOR * info["rewards"], terminated, truncated, info

make = Environment
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a package in the place of the reference implementation can be put; it is forgotten afterwards."""
    monkeypatch.setattr("sys.path", [*sys.path])
    (tmp_path / REFERENCE).mkdir()
    yield tmp_path
    sys.modules.pop(REFERENCE, None)


@pytest.mark.filterwarnings("ignore:.*out of date:DeprecationWarning")
def test_the_reference_is_timed_beside_us_once_it_pays_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reference, "STEPS", dict.fromkeys(reference.STEPS, 20))
    (folder / REFERENCE / "__init__.py").write_text(STANDS_IN + "FACTOR = 1.0\n")
    alone, together = perf.run_all(["R2", "R2b"], quick=True, out=tmp_path / "perf.json", reference=folder)
    assert 0.2 < alone.ratio < 5.0  # a game beside itself
    assert together.ratio > alone.ratio
    document = json.loads((tmp_path / "perf.json").read_text())
    assert document["command"] == "coopgym bench R2 R2b --quick --reference FOLDER"
    assert document["versions"][REFERENCE] == "unknown"


@pytest.mark.filterwarnings("ignore:.*out of date:DeprecationWarning")
def test_what_pays_something_else_is_not_timed(folder: Path) -> None:
    (folder / REFERENCE / "__init__.py").write_text(STANDS_IN + "FACTOR = 1.01\n")
    with pytest.raises(ValueError, match=r"coopetition_gym pays .* in step 0 of TrustDilemma-v0, expected .*version"):
        perf.run_all(["R2"], quick=True, out=folder / "never.json", reference=folder)


def test_without_the_reference_its_ratios_say_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, REFERENCE, None)
    with pytest.raises(
        UnavailableError, match=r"not installed .*give the folder .* package coopetition_gym with --ref"
    ):
        perf.run_all(["R40"], out=tmp_path / "never.json")
    with pytest.raises(ValueError, match="expected the folder that holds the package coopetition_gym"):
        perf.run_all(["R40"], out=tmp_path / "never.json", reference=tmp_path)


def test_time_per_update_counts_updates() -> None:
    trainer = learners._trainer(learners.learner_named("IPPO")(num_envs=4, hidden=(8,)))
    assert 0.0 < learners._seconds_per_update(trainer)() < 10.0


@pytest.mark.parametrize(
    ("absence", "raised", "said"),
    [
        (UnavailableError("there is no learner 'Nobody'"), UnavailableError, "there is no learner 'Nobody'"),
        (
            ModuleNotFoundError("No module named 'pygame'", name="pygame"),
            MissingExtraError,
            "C2 needs pygame; install it with: pip install 'coopgym[perf]'",
        ),
    ],
)
def test_what_is_not_here_costs_no_other_ratio(
    absence: Exception,
    raised: type[Exception],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def measurement(place: str):
        def measure(quick: bool) -> Ratio:
            if place == perf.MEASUREMENTS["C2"]:
                raise absence
            return ratio(2.0)

        return measure

    monkeypatch.setattr(perf, "_measurement", measurement)
    results = perf.run_all(out=tmp_path / "perf.json")
    assert len(results) == len(perf.MEASUREMENTS) - len(perf.ON_A_DEVICE) - 1
    assert f"C2        left out: {said}" in capsys.readouterr().out
    with pytest.raises(raised):
        perf.run_all(["C2"], out=tmp_path / "perf.json")
