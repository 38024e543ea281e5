"""The pages of the games in the documentation: up to date, whole, and with the numbers of certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from coopgym.benchmarks.documentation.games import FOLDER, INDEX, game_pages
from coopgym.benchmarks.documentation.kept import kept_certificates
from coopgym.benchmarks.documentation.pages import COMMAND
from coopgym.benchmarks.documentation.reference_points import dilemma
from coopgym.games.registry import games

HEADINGS = (
    "Description",
    "Seats",
    "Action Space",
    "Observation Space",
    "Rewards",
    "Starting State and Transition",
    "Episode End",
    "Information",
    "Arguments",
    "Dilemma",
    "Sources",
)


@pytest.fixture(scope="module")
def pages() -> dict[Path, str]:
    return game_pages()


def test_a_page_says_what_its_game_says(pages: dict[Path, str]) -> None:
    outdated = [page.name for page, text in pages.items() if not page.exists() or page.read_text("utf-8") != text]
    assert outdated == [], f"run {COMMAND}"


def test_every_game_has_a_page_and_every_page_a_game(pages: dict[Path, str]) -> None:
    names = {game.rsplit("-", 1)[0] for game in games()}
    assert {path.name for path in FOLDER.iterdir()} == {INDEX, *(f"{name}.md" for name in names)}
    assert all(f"[{name}]({name}.md)" in pages[FOLDER / INDEX] for name in names)


def test_a_page_has_all_its_parts_for_both_editions(pages: dict[Path, str]) -> None:
    for page, text in pages.items():
        if page.name != INDEX:
            found = [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]
            assert found == [*HEADINGS, *HEADINGS], page.name
            assert text.count("\n## ") == 3, page.name
            assert "## Version History" in text, page.name


def test_reference_points_come_from_the_certificate() -> None:
    found, facts = dilemma("PlatformEcosystem-v1"), kept_certificates()["PlatformEcosystem-v1"]
    assert found is not None
    assert found.paragraphs[0].startswith(f"A certified dilemma: price of anarchy {facts['poa']:.3f}, ")
    shares = {row[0]: row[1:] for row in found.table}
    assert shares["private Nash"] == ("7/4", "7/4", f"{facts['W_nash']:.3f}")
    assert shares["social optimum"][0] == "83/42"
    assert shares["committed, private reward"][:2] == ("2.7 or 10.0 or 12.9", "7.0/4.3")


def test_what_is_no_dilemma_is_not_called_one() -> None:
    found = dilemma("PlatformEcosystem-v0")
    assert found is not None
    assert found.paragraphs[0].startswith("Not a certified dilemma: ")
    assert not any("committed" in row[0] for row in found.table)


def test_a_game_without_a_certificate_has_no_reference_points() -> None:
    assert dilemma("Meadow-v0") is None
