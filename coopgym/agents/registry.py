"""Names of agents: the shipped ones, installed plug-ins, addresses, and ``module:Class`` of a user's own file."""

from __future__ import annotations

import difflib
import importlib
import re
import sys
from collections.abc import Callable
from functools import cache, partial
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from coopgym.agents import families, heuristics, wrappers
from coopgym.agents.agent_text import AgentText, has_settings, parse_agent
from coopgym.agents.base import Agent
from coopgym.agents.foreign_names import refuse_foreign
from coopgym.interrupts import is_interrupt
from coopgym.user_code import in_words, located, message_of, our_folders, place_of

_SHIPPED: dict[str, Callable[..., Agent]] = {
    agent.__name__: agent
    for agent in (
        heuristics.Random,
        heuristics.TitForTat,
        heuristics.GenerousTitForTat,
        heuristics.ThresholdTitForTat,
        heuristics.GrimTrigger,
        heuristics.WinStayLoseShift,
        heuristics.Gradual,
        heuristics.ProportionalReciprocity,
        heuristics.Constant,
        families.Exploiter,
        families.Forgiver,
        families.Oscillator,
        families.TitsForTats,
        wrappers.Noisy,
        wrappers.Changing,
    )
}

_CONSTANT = re.compile(r"Constant_(\d{2}|100)")

PUBLISHED = "Published_"
"""What stands before the names of agents that play as in the published study: in units of the largest endowment."""

FORMER_PACKAGES = ("oracles", "algorithms", "benchmarks")
"""Parts of `coopgym` that older studies and corpora name as packages of their own."""

_AS_PUBLISHED: dict[str, Callable[..., Agent]] = {
    "Random": partial(heuristics.Random, joint_box=True),
    "TitForTat": partial(heuristics.TitForTat, mode="reference"),
}


@cache
def _plugins() -> dict[str, Any]:
    return {entry.name: entry for entry in entry_points(group="coopgym.agents")}


@cache
def _schemes() -> dict[str, Any]:
    """Plug-ins that make an agent of an address, by what stands before its first colon."""
    return {entry.name: entry for entry in entry_points(group="coopgym.agents.by_address")}


@cache
def constant_names() -> tuple[str, ...]:
    """Names of the 101 constants, ``Constant_00`` to ``Constant_100``.

    >>> constant_names()[:2], len(constant_names())
    (('Constant_00', 'Constant_01'), 101)
    """
    return tuple(f"Constant_{level:02d}" for level in range(101))


def agent_names() -> tuple[str, ...]:
    """Names that `make_agent` knows, without the 101 constants, published forms and forms with a colon.

    >>> "TitForTat" in agent_names(), "Constant_50" in agent_names()
    (True, False)
    """
    return tuple(sorted({*_SHIPPED, *_plugins()}))


def make_agent(name: str, **options: Any) -> Agent:
    """Make an agent by name.

    Args:
        name: a shipped agent, ``Constant_00`` to ``Constant_100``, an installed plug-in, any of these with settings in
            brackets, such as ``Noisy(agent=TitForTat, noise=0.2)``, ``module:Class``, or a scheme and an address, such
            as ``llm:http://127.0.0.1:8000/v1``. A scheme is a plug-in of the entry point group
            ``coopgym.agents.by_address``: it is called with the address; a module of yours with a scheme's name goes
            first. ``Random``, ``TitForTat`` and the constants
            play shares of their own endowment in every game; with ``Published_`` before their name they play as in the
            published study, which took shares of the largest endowment for everybody.
        options: keywords of the agent's constructor.

    Raises:
        ValueError: an unknown name, a module or class that cannot be found, an address that its scheme refuses, or
            whatever a user's code raises when it is imported or makes the agent; the message names file and line.
        UntrustedNameError: a name with a colon that comes from data (`coopgym.agents.foreign_names`).
        TypeError: options that the agent does not take, or something that is no class of agents, which is not called.

    >>> make_agent("GrimTrigger", opening_level=0.8).opening_level, make_agent("Constant_35").level
    (0.8, 0.35)
    >>> make_agent("Noisy(agent=GrimTrigger(opening_level=0.8), noise=0.2)").noise
    0.2
    """
    if has_settings(name):
        return _with_settings(parse_agent(name), options)
    as_published = name.startswith(PUBLISHED)
    level = _CONSTANT.fullmatch(name.removeprefix(PUBLISHED))
    if level:
        return _made(name, partial(heuristics.Constant, int(level[1]) / 100, joint_box=as_published), options)
    if as_published and name.removeprefix(PUBLISHED) in _AS_PUBLISHED:
        return _made(name, _AS_PUBLISHED[name.removeprefix(PUBLISHED)], options)
    if name in _SHIPPED:
        return _made(name, _SHIPPED[name], options)
    if name in _plugins():
        return _made(name, lambda **given: _plugins()[name].load()(**given), options)
    scheme, colon, address = name.partition(":")
    if colon:
        refuse_foreign(name)
        if scheme in _schemes() and not _is_a_users_class(scheme, address):
            return _made(name, lambda **given: _schemes()[scheme].load()(address, **given), options)
        return _made(name, _imported(name), options)
    known = [*agent_names(), *constant_names(), *(PUBLISHED + heuristic for heuristic in _AS_PUBLISHED)]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise ValueError(
        f"unknown agent {name!r}{hint} Known: {', '.join(agent_names())}, Constant_00 to Constant_100, {_with_colon()}"
    )


def _with_settings(text: AgentText, options: dict[str, Any]) -> Agent:
    """Make an agent from its text, and first those that are among its settings.

    Raises:
        TypeError: a setting is given twice, here and among the options.
    """
    if twice := sorted(set(text.settings) & set(options)):
        raise TypeError(f"agent {text.name!r}: {twice[0]} is given twice, in the name and beside it")
    settings = {
        name: _with_settings(value, {}) if isinstance(value, AgentText) else value
        for name, value in text.settings.items()
    }
    return make_agent(text.name, **settings, **options)


def _with_colon() -> str:
    return ", ".join([*(f"{scheme}:ADDRESS" for scheme in sorted(_schemes())), "or module:Class"])


def _is_a_users_class(module: str, name: str) -> bool:
    """Whether a scheme's name is also that of a module of the user's own, and its address reads like a class there."""
    _look_here()
    return name.isidentifier() and find_spec(module) is not None


def _look_here() -> None:
    """Let modules be found in the working directory, before all others."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def _imported(name: str) -> type[Agent]:
    """Import a user's class of agents.

    Raises:
        ValueError: there is no such module or class, or importing it raised whatever it was.
        TypeError: it is no class with the methods of an agent.
    """
    module_name, _, class_name = name.partition(":")
    _look_here()
    try:
        found = getattr(_module(module_name), class_name, None)
    except BaseException as error:
        if is_interrupt(error):
            raise
        if isinstance(error, ModuleNotFoundError) and error.name and module_name.startswith(error.name):
            raise ValueError(
                f"agent {name!r}: no module {module_name!r} here or on the Python path; expected {_with_colon()}"
            ) from error
        raise ValueError(f"agent {name!r} cannot be imported: {in_words(error)}") from error
    if found is None:
        raise ValueError(f"agent {name!r}: module {module_name!r} has no {class_name!r}")
    if not isinstance(found, type):
        raise TypeError(
            f"agent {name!r}: {class_name!r} is of type {type(found).__name__!r}; expected a class with begin and act "
            "(settings are given by a subclass whose __init__ fixes them)"
        )
    _require_methods(name, found)
    return found


def _module(name: str) -> ModuleType:
    """Import a module, or the part of `coopgym` that had its name before; a project's own package goes first.

    Raises:
        ModuleNotFoundError: there is no such module.
    """
    package = name.partition(".")[0]
    if package in FORMER_PACKAGES:
        spec = find_spec(package)
        places = {Path(place).resolve() for place in (spec and spec.submodule_search_locations) or ()}
        if spec is None or places & our_folders():
            name = f"coopgym.{name}"
    return importlib.import_module(name)


def _made(name: str, factory: Callable[..., Any], options: dict[str, Any]) -> Agent:
    try:
        agent = factory(**options)
    except TypeError as error:
        said = f"{message_of(error)}{located(error)}"
        raise TypeError(f"agent {name!r} cannot be made with {options}: {said}") from error
    except BaseException as error:
        says_enough = isinstance(error, ValueError | ImportError) and place_of(error) is None
        if is_interrupt(error) or says_enough:
            raise
        raise ValueError(f"agent {name!r} cannot be made: {in_words(error)}") from error
    _require_methods(name, agent)
    return agent


def _require_methods(name: str, agent: object) -> None:
    missing = [method for method in ("begin", "act") if not callable(getattr(agent, method, None))]
    if missing:
        raise TypeError(
            f"agent {name!r} has no {' and no '.join(missing)}; an agent needs begin(seat, episodes, rng) and "
            "act(observation)"
        )
