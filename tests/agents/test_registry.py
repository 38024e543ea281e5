"""Names of agents: shipped, plug-ins and classes in a user's own file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from coopgym.agents import PUBLISHED, Agent, Strategy, agent_names, constant_names, make_agent, registry
from coopgym.agents.heuristics import Constant, GrimTrigger
from coopgym.games.registry import make_game
from coopgym.play import play

OWN_FILE = """
class Half:
    def begin(self, seat, episodes, rng):
        self.seat, self.episodes = seat, episodes

    def act(self, observation):
        return [0.5] * self.episodes


class Mute:
    def begin(self, seat, episodes, rng):
        pass


NOT_A_CLASS = 3
"""


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = "an_agent_of_my_own"
    (tmp_path / f"{name}.py").write_text(OWN_FILE, encoding="utf-8")
    (tmp_path / "broken_imports.py").write_text("import no_such_package_at_all\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    sys.modules.pop(name, None)


def test_the_shipped_agents_are_listed() -> None:
    assert {"Random", "TitForTat", "GrimTrigger", "Gradual", "Constant"} <= set(agent_names())
    assert list(agent_names()) == sorted(agent_names())


@pytest.mark.parametrize("name", agent_names())
def test_every_listed_name_makes_a_new_agent(name: str) -> None:
    first, second = make_agent(name), make_agent(name)
    assert isinstance(first, Agent)
    assert first is not second


def test_there_are_101_constants_named_by_percent() -> None:
    names = constant_names()
    assert (names[0], names[7], names[100], len(names)) == ("Constant_00", "Constant_07", "Constant_100", 101)
    agents = [make_agent(name) for name in names]
    levels = [agent.level for agent in agents if isinstance(agent, Constant)]
    assert levels == [percent / 100 for percent in range(101)]


# Sums of integrated rewards over an episode of self-play, measured on the reference implementation.
@pytest.mark.parametrize(
    ("id", "constant_40", "tit_for_tat"),
    [
        ("PartnerHoldUp-v0", 46552.34, 45320.365),
        ("PlatformEcosystem-v0", 144385.44, 138285.88),
        ("RenaultNissan-v0", 46190.28, 45471.51),
        ("GiftExchange-v0", 42163.17, 41435.6),
        ("AppleAppStore-v0", 44381.57, 43175.27),
    ],
)
def test_published_agents_take_shares_of_the_largest_endowment(id: str, constant_40: float, tit_for_tat: float) -> None:
    game = make_game(id)
    assert np.ptp(game.spec.endowments) > 0.0
    for name, published in (("Constant_40", constant_40), ("TitForTat", tit_for_tat)):
        as_published, own = (
            play(game, [make_agent(prefix + name) for _ in range(game.n_agents)]).returns["integrated"].sum()
            for prefix in (PUBLISHED, "")
        )
        assert as_published == pytest.approx(published, rel=1e-6)
        assert own != pytest.approx(published, rel=1e-3)


@pytest.mark.parametrize("name", ["Constant_40", "TitForTat", "Random"])
def test_where_endowments_are_equal_published_agents_are_the_others(name: str) -> None:
    game = make_game("TrustDilemma-v0")
    as_published, own = (
        play(game, [make_agent(prefix + name) for _ in range(2)], seed=5, record=True) for prefix in (PUBLISHED, "")
    )
    assert as_published.trajectory is not None
    assert own.trajectory is not None
    np.testing.assert_array_equal(as_published.trajectory.actions, own.trajectory.actions)


def test_only_some_agents_were_published() -> None:
    with pytest.raises(ValueError, match="unknown agent 'Published_GrimTrigger'"):
        make_agent("Published_GrimTrigger")


@pytest.mark.parametrize("name", ["Constant_5", "Constant_101", "Constant_1000", "Constant_-1"])
def test_other_percentages_are_unknown(name: str) -> None:
    with pytest.raises(ValueError, match="Constant_00 to Constant_100"):
        make_agent(name)


def test_options_reach_the_constructor() -> None:
    agent = make_agent("GrimTrigger", opening_level=0.9)
    assert isinstance(agent, GrimTrigger)
    assert agent.opening_level == 0.9
    constant = make_agent("Constant_40", joint_box=True)
    assert isinstance(constant, Constant)
    assert constant.joint_box


def test_an_option_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="agent 'TitForTat' cannot be made with"):
        make_agent("TitForTat", kindness=1.0)
    with pytest.raises(TypeError, match="agent 'Constant_40' cannot be made with"):
        make_agent("Constant_40", kindness=1.0)


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(ValueError, match="unknown agent 'TitForTatt'; did you mean 'TitForTat'") as raised:
        make_agent("TitForTatt")
    assert "module:Class" in str(raised.value)


def test_a_class_in_the_current_folder_is_an_agent(own_file: str) -> None:
    agent = make_agent(f"{own_file}:Half")
    assert isinstance(agent, Agent)
    assert type(agent).__name__ == "Half"


def test_a_missing_module_or_class_is_named(own_file: str) -> None:
    with pytest.raises(ValueError, match="no module 'nowhere_to_be_found' here or on the Python path"):
        make_agent("nowhere_to_be_found:Half")
    with pytest.raises(ValueError, match=f"module '{own_file}' has no 'Haalf'"):
        make_agent(f"{own_file}:Haalf")


def test_an_import_error_inside_the_user_s_module_is_told_with_its_line(own_file: str) -> None:
    with pytest.raises(ValueError, match=r"No module named .no_such_package_at_all. \(broken_imports\.py:1\)$"):
        make_agent("broken_imports:Half")


def test_a_class_without_the_protocol_is_refused(own_file: str) -> None:
    with pytest.raises(TypeError, match=r"has no act; an agent needs begin\(seat, episodes, rng\)"):
        make_agent(f"{own_file}:Mute")
    with pytest.raises(TypeError, match="'NOT_A_CLASS' is of type 'int'; expected a class with begin and act"):
        make_agent(f"{own_file}:NOT_A_CLASS")


@pytest.mark.parametrize("name", ["os:system", "builtins:exit", "os:path", "builtins:print"])
def test_what_is_no_class_is_not_called(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TypeError, match=f"agent '{name}': .* is of type '.*'; expected a class with begin and act"):
        make_agent(name)
    assert capfd.readouterr() == ("", "")


WITNESSES = """
from pathlib import Path

class NoAgent:
    def __init__(self):
        Path("called").touch()

def factory():
    Path("called").touch()
"""


def test_a_class_or_function_that_makes_no_agent_is_not_even_called(own_file: str, tmp_path: Path) -> None:
    (tmp_path / f"{own_file}.py").write_text(WITNESSES, encoding="utf-8")
    for name in ("NoAgent", "factory"):
        with pytest.raises(TypeError, match=f"agent '{own_file}:{name}'"):
            make_agent(f"{own_file}:{name}")
    assert not (tmp_path / "called").exists()


UNMAKEABLE = """
class Agent:
    def __init__(self, error=SystemExit):
        raise error("[/b]")
    def begin(self, seat, episodes, rng): ...
    def act(self, observation): ...
"""


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, RuntimeError, ImportError, ValueError])
def test_whatever_a_constructor_raises_is_told_with_its_line(
    own_file: str, tmp_path: Path, error: type[BaseException]
) -> None:
    (tmp_path / f"{own_file}.py").write_text(UNMAKEABLE, encoding="utf-8")
    told = rf"cannot be made: {error.__name__}: \[/b\] \({own_file}\.py:4\)$"
    with pytest.raises(ValueError, match=told) as caught:
        make_agent(f"{own_file}:Agent", error=error)
    assert isinstance(caught.value.__cause__, error)


def test_a_name_that_is_odd_is_refused() -> None:
    for name in (":", ":Agent", "os:", ".relative:Agent", "a\0b:Agent", "os.path.:Agent"):
        with pytest.raises(ValueError, match="agent "):
            make_agent(name)


def test_a_bare_strategy_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        make_agent("coopgym.agents.base:Strategy")
    assert issubclass(GrimTrigger, Strategy)


def test_installed_plugins_are_known_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = SimpleNamespace(load=lambda: GrimTrigger)
    monkeypatch.setattr(registry, "_plugins", lambda: {"MyPlugin": plugin})
    assert "MyPlugin" in agent_names()
    assert isinstance(make_agent("MyPlugin", opening_level=0.7), GrimTrigger)


def test_a_scheme_makes_agents_of_addresses(monkeypatch: pytest.MonkeyPatch, own_file: str) -> None:
    plugin = SimpleNamespace(load=lambda: lambda address, factor=1.0: Constant(factor * float(address.split(":")[1])))
    monkeypatch.setattr(registry, "_schemes", lambda: {"level": plugin})
    agent = make_agent("level:here:0.6", factor=0.5)
    assert isinstance(agent, Constant)
    assert agent.level == pytest.approx(0.3)
    assert "level" not in agent_names()
    assert isinstance(make_agent(f"{own_file}:Half"), Agent)
    with pytest.raises(ValueError, match=r"expected level:ADDRESS, or module:Class"):
        make_agent("lewel:here:0.6")
