"""The measuring of speed: arithmetic of the ratios, not the speeds themselves."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import perf
from benchmarks.perf import device, device_learning, learners
from benchmarks.perf.measure import MissingLearnerError, Ratio, alternate, rate


def ratio(value: float, **changes: object) -> Ratio:
    facts = {"floor": 1.0, "aim": 3.0, "numerator": value, "denominator": 1.0, "ratio": value, "spread": 0.0}
    return Ratio(id="X", title="a ratio", unit="steps/s", **(facts | changes))


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.5, "below the floor"), (1.0, "ok"), (2.9, "ok"), (3.0, "aim reached")]
)
def test_more_is_better_by_default(value: float, verdict: str) -> None:
    assert ratio(value).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [(2.5, "below the floor"), (2.0, "ok"), (1.0, "aim reached")])
def test_less_is_better_where_it_says_so(value: float, verdict: str) -> None:
    assert ratio(value, floor=2.0, aim=1.0, at_most=True).verdict == verdict


def test_alternation_takes_medians_and_leaves_out_the_warm_up() -> None:
    ours, theirs = iter([99.0, 2.0, 4.0, 6.0]), iter([1.0, 2.0, 2.0, 2.0])
    numerator, denominator, median, spread = alternate(lambda: next(ours), lambda: next(theirs), 3)
    assert (numerator, denominator, median, spread) == (4.0, 2.0, 2.0, 1.0)


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
    assert document["command"] == "coopgym bench --quick"
    assert {"date", "machine", "versions"} <= set(document)
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
        learners.against_published("Nobody", learners.DYAD)


@pytest.mark.parametrize("quick", [True, False])
def test_an_extrapolation_counts_every_game_once(quick: bool) -> None:
    games = list(device_learning._games(quick))
    assert sum(weight for _, weight in games) == 20
    assert len(games) == (4 if quick else 20)


def test_time_per_update_counts_updates() -> None:
    trainer = learners._trainer(learners.learner_named("IPPO")(num_envs=4, hidden=(8,)), learners.DYAD, range(1))
    assert 0.0 < learners._seconds_per_update(trainer)() < 10.0


def test_a_missing_learner_costs_no_other_ratio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measurement(place: str):
        def measure(quick: bool) -> Ratio:
            if place == perf.MEASUREMENTS["C2"]:
                raise MissingLearnerError("there is no learner 'Nobody'")
            return ratio(2.0)

        return measure

    monkeypatch.setattr(perf, "_measurement", measurement)
    results = perf.run_all(out=tmp_path / "perf.json")
    assert len(results) == len(perf.MEASUREMENTS) - len(perf.ON_A_DEVICE) - 1
    assert "C2        left out: there is no learner 'Nobody'" in capsys.readouterr().out
    with pytest.raises(MissingLearnerError):
        perf.run_all(["C2"], out=tmp_path / "perf.json")
