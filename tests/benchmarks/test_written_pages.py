"""The README and the pages of `docs` say what corpora, kept records and classes say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from coopgym.algorithms.marl import IPPO
from coopgym.algorithms.marl.off_policy.maddpg import MADDPG
from coopgym.algorithms.marl.populations.mixed import Mixed
from coopgym.benchmarks.documentation import catalogue, teams
from coopgym.benchmarks.documentation.blocks import BLOCKS
from coopgym.benchmarks.documentation.certificates import certificate_facts
from coopgym.benchmarks.documentation.kept import kept_certificates
from coopgym.benchmarks.documentation.learners import Reached
from coopgym.benchmarks.documentation.pages import COMMAND, END, ROOT, blocks_in, pages, with_blocks
from coopgym.benchmarks.documentation.sources import Run, kept_speeds
from coopgym.corpus.reader import load_corpus
from coopgym.games.registry import games

STANDING = [
    (page.name, name, text) for page in pages() for name, text in blocks_in(page.read_text("utf-8"), BLOCKS).items()
]
TESTED_ELSEWHERE = "dynamic_optima.md"
MARK = f"<!-- written by {COMMAND}: table of games -->"


@pytest.mark.parametrize(("page", "name", "text"), STANDING, ids=[name for _, name, _ in STANDING])
def test_a_block_says_what_its_sources_say(page: str, name: str, text: str) -> None:
    assert text == BLOCKS[name](), f"the block {name!r} of {page} is out of date: run {COMMAND}"


def test_every_block_stands_on_one_page() -> None:
    assert sorted(name for _, name, _ in STANDING) == sorted(BLOCKS)


def test_the_readme_counts_the_released_audit() -> None:
    protocols = load_corpus("audit-v0").read("runs", ["protocol"]).arrow["protocol"].to_pylist()
    surfaces, temporal = (protocols.count(f"reference_{kind}") for kind in ("surface", "temporal"))
    assert f"{surfaces:,} response surfaces, {temporal} temporal deviations" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", [page.name for page in pages() if page.name != TESTED_ELSEWHERE])
def test_nothing_is_measured_outside_blocks_and_examples(name: str) -> None:
    """By its styles: a share in per cent, a spread, a ratio."""
    (page,) = (page for page in pages() if page.name == name)
    text = page.read_text("utf-8")
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", with_blocks(text, dict.fromkeys(BLOCKS, "")), flags=re.DOTALL)
    found = re.findall(r".*(?:\d ?%|±|\d ?×).*", prose.replace("on a 1 % grid", "on a grid"))
    assert not found, f"make these blocks of coopgym.benchmarks.documentation, or leave them out: {found}"


# Marks


def test_only_what_is_between_the_marks_changes() -> None:
    page = f"before\n\n- item\n\n  {MARK}\n  old\n  {END}\n\nafter {END[:4]} end\n"
    written = with_blocks(page, {"table of games": "new\nlines"})
    assert written == f"before\n\n- item\n\n  {MARK}\n\n  new\n  lines\n\n  {END}\n\nafter {END[:4]} end\n"
    assert blocks_in(written, BLOCKS) == {"table of games": "new\nlines"}
    assert with_blocks(written, {"table of games": "new\nlines"}) == written


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (f"{MARK}\n", "below every mark"),
        (f"{MARK}\n{MARK}\n{END}\n", "below every mark"),
        (f"text\n{END}\n", "below every mark"),
        (f"{MARK}\n  {END}\n", "as far from the margin"),
        (f"{MARK}\n{END}\n{MARK}\n{END}\n", "once on a page"),
        (f"{MARK.replace('games', 'gmaes')}\n{END}\n", "did you mean 'table of games'"),
    ],
)
def test_a_mark_that_leads_nowhere_is_refused(page: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        blocks_in(page, BLOCKS)


# Kept records


@pytest.mark.parametrize(
    "game",
    [pytest.param(game, marks=() if game == "PartnerHoldUp-v0" else pytest.mark.slow) for game in games()],
)
def test_kept_certificates_are_what_is_computed(game: str) -> None:
    for fact, value in certificate_facts(game).items():
        assert kept_certificates()[game][fact] == pytest.approx(value, rel=1e-5), fact


def test_the_latest_of_several_kept_speeds_counts(tmp_path: Path) -> None:
    speed = {"numerator": 6.0, "denominator": 3.0, "spread": 0.1}
    for name, date, ratio in (("perf-a", "2026-02-01", 2.0), ("perf-b", "2026-01-01", 5.0)):
        record = {"date": date, "ratios": [{"id": "C1", "ratio": ratio, **speed}]}
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    assert kept_speeds(tmp_path)["C1"].ratio == 2.0


# Learners


def run(algorithm: str, welfare: float, reward_mode: str = "private", **facts: Any) -> Run:
    blank = {**dict.fromkeys(Run.__dataclass_fields__), "seed": 1}
    return Run(**{**blank, "algorithm": algorithm, "welfare": welfare, "reward_mode": reward_mode, **facts})


def reached(game: str, private: list[float], commitment: float = 30.0) -> Reached:
    oracles = {"Oracle_Nash": 10.0, "Oracle_CommitmentNash": commitment, "Oracle_SocialOptimum": 50.0}
    runs = [run(name, welfare, environment=game) for name, welfare in oracles.items()]
    runs.append(run("Oracle_CommitmentNash", 45.0, "integrated", environment=game))
    learned = [run("IPPO", welfare, seed=1 + k, environment=game) for k, welfare in enumerate(private)]
    return Reached.of([*runs, *learned, run("IPPO", 50.0, "cooperative", environment=game)], game, "IPPO")


@pytest.mark.parametrize(
    ("private", "sides", "excess"),
    [
        ([31.0, 39.0], {"above"}, 12.5),  # the integrated equilibrium, 45, is another game's
        ([10.0, 30.0], {"between"}, -25.0),
        ([9.0, 31.0], {"below", "above"}, -25.0),
    ],
)
def test_private_learners_are_compared_with_private_equilibria(
    private: list[float], sides: set[str], excess: float
) -> None:
    found = reached("TrustDilemma-v1", private)
    assert found.sides == sides
    assert found.excess == pytest.approx(excess)


def test_the_higher_equilibrium_is_the_bar_whichever_it_is() -> None:
    found = reached("TrustDilemma-v1", [8.0, 9.0], commitment=5.0)
    assert found.sides == {"between"}
    assert found.excess == pytest.approx(100 * (8.5 - 10) / 40)


def test_a_game_that_draws_is_compared_on_common_seeds() -> None:
    assert [each.seed for each in reached("SynergySearch-v1", [20.0, 35.0]).private] == [1]
    assert [each.seed for each in reached("TrustDilemma-v1", [20.0, 35.0]).private] == [1, 2]


def test_a_row_of_the_learners_comes_from_the_class() -> None:
    _, _, first, second = catalogue.learners_table({"MADDPG": MADDPG, "Mixed": Mixed, "IPPO": IPPO}).splitlines()
    assert [cell.strip() for cell in first.split("|")[1:-1]] == [
        "IPPO", IPPO.sources, "individual, team", "squashed gaussian", "1 or more",
        "`tests/algorithms/test_battery.py`",
    ]  # fmt: skip
    assert second.startswith("| MADDPG | Lowe et al. 2017")
    assert "| deterministic |" in second


# Teams


def test_every_learner_of_the_team_is_within_its_bound_and_above_half_of_the_endowment() -> None:
    baseline, *learners = teams.shares().items()
    assert baseline[0] == teams.BASELINE
    for name, reached in learners:
        bound = 98.0 if name in ("MAPPO", "MASAC") else 95.0
        for game, shares in reached.items():
            assert min(shares) >= bound, (name, game)
            assert fmean(shares) > baseline[1][game][0], (name, game)
