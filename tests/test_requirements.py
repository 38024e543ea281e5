"""What is declared, pinned and locked agrees."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from coopgym.extras import EXTRAS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DECLARED = {
    extra: [Requirement(each) for each in requirements]
    for extra, requirements in ({"": PROJECT["dependencies"]} | PROJECT["optional-dependencies"]).items()
}
APART = {"interop", "video"}
"""Extras that nothing is pinned for: what they bring does not go together with the rest."""
CONSTRAINTS, LOCK = (ROOT / "constraints.txt").read_text(), (ROOT / "requirements.lock").read_text()


def pins(text: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.mark.parametrize("extra", sorted(set(DECLARED) - APART))
def test_what_is_pinned_is_what_is_declared(extra: str) -> None:
    for requirement in DECLARED[extra]:
        if requirement.name != PROJECT["name"]:
            assert requirement.specifier.contains(pins(CONSTRAINTS)[canonicalize_name(requirement.name)]), requirement


def test_the_lock_holds_the_constraints_with_hashes() -> None:
    constraints, lock = pins(CONSTRAINTS), pins(LOCK)
    assert len(lock) > 100
    assert {name: version for name, version in lock.items() if constraints.get(name, version) != version} == {}
    assert set(constraints) - set(lock) == {"torch", "sympy", "mpmath"}  # what `make lock` leaves out
    locked = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert [entry for entry in locked if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)] == []


@pytest.mark.parametrize("text", [CONSTRAINTS, LOCK], ids=["constraints", "lock"])
def test_no_file_says_where_packages_come_from(text: str) -> None:
    assert not re.search(r"://|--index|--find-links|--extra-index|^-", text, re.MULTILINE)


def test_every_package_that_errors_name_is_in_the_extra_that_they_name() -> None:
    for module, extra in EXTRAS.items():
        assert module.replace("_", "-") in {requirement.name for requirement in brought_by(extra)}, (module, extra)


def brought_by(extra: str) -> list[Requirement]:
    """Return the requirements of an extra and of the extras that it names."""
    own = DECLARED[extra]
    named = {each for requirement in own if requirement.name == PROJECT["name"] for each in requirement.extras}
    return own + [requirement for each in named for requirement in brought_by(each)]
