"""Agents that raise whatever can be raised: a run each, told with file and line, and the others go on."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.execute.executors import ProcessPool
from coopgym.benchmarks.study import Study, expand
from coopgym.corpus import load_corpus

STRANGERS = r"""
import sys


class Plain:
    def begin(self, seat, episodes, rng):
        self.episodes = episodes

    def act(self, observation):
        return [1.0] * self.episodes


class Exits(Plain):
    def act(self, observation):
        sys.exit(0)  # Exits


class ExitsAtOnce(Plain):
    def begin(self, seat, episodes, rng):
        raise SystemExit  # ExitsAtOnce


class Closes(Plain):
    def act(self, observation):
        raise GeneratorExit  # Closes


class Stops(Plain):
    def act(self, observation):
        raise StopIteration("enough")  # Stops


class Interrupts(Plain):
    def act(self, observation):
        raise KeyboardInterrupt("not yours")  # Interrupts


class BareError(BaseException):
    pass


class OfItsOwnBase(Plain):
    def act(self, observation):
        raise BareError("of no known family")  # OfItsOwnBase


class SpeechlessError(Exception):
    def __str__(self):
        raise SystemExit(0)

    __repr__ = __str__

    def __reduce__(self):
        raise TypeError("cannot be pickled")


class Speechless(Plain):
    def act(self, observation):
        raise SpeechlessError  # Speechless


class Marked(Plain):
    def act(self, observation):
        raise ValueError("[/b] half a character: \ud800 \x1b[31m\nand more")  # Marked


class Verbose(Plain):
    def act(self, observation):
        raise ValueError("x" * 3_000_000)  # Verbose


class Several(Plain):
    def act(self, observation):
        raise BaseExceptionGroup("two at once", [ValueError("one"), SystemExit(0)])  # Several


class Chained(Plain):
    def act(self, observation):
        try:
            {}["key"]
        except KeyError as error:
            raise RuntimeError("no such key") from error  # Chained


class Recurses(Plain):
    def act(self, observation):
        return self.act(observation)  # Recurses


class Exhausts(Plain):
    def act(self, observation):
        raise MemoryError  # Exhausts


class ImportsLate(Plain):
    def act(self, observation):
        import exits_when_imported  # ImportsLate


class Hidden:
    @property
    def __array__(self):
        raise SystemExit(3)  # Unreadable


class Unreadable(Plain):
    def act(self, observation):
        return Hidden()


class Undefined(Plain):
    def act(self, observation):  # Undefined
        return [float("nan")] * self.episodes


class Misshapen(Plain):
    def act(self, observation):  # Misshapen
        return 1.0


class Wordy(Plain):
    def act(self, observation):  # Wordy
        return "cooperate\nplease " * 1000


class Overlong(Plain):
    @property
    def transcript(self):
        raise SystemExit("no transcript")  # Overlong
"""
SAID = {
    "Exits": "SystemExit: 0",
    "ExitsAtOnce": "SystemExit",
    "Closes": "GeneratorExit",
    "Stops": "RuntimeError: generator raised StopIteration",
    "Interrupts": "KeyboardInterrupt: not yours",
    "OfItsOwnBase": "BareError: of no known family",
    "Speechless": "SpeechlessError: a message that cannot be read: it raises SystemExit",
    "Marked": "ValueError: [/b] half a character: \\ud800 ␛[31m",
    "Verbose": "ValueError: xxxxx",
    "Several": "BaseExceptionGroup: two at once (2 sub-exceptions)",
    "Chained": "RuntimeError: no such key",
    "Recurses": "RecursionError: maximum recursion depth exceeded",
    "Exhausts": "MemoryError",
    "ImportsLate": "SystemExit: 0",
    "Unreadable": "SystemExit: 3",
    "Undefined": "ValueError: Undefined in seat 0 of TrustDilemma-v1: act() returned nan in episode 0",
    "Misshapen": "ValueError: Misshapen in seat 0 of TrustDilemma-v1: act() must return 1 shares",
    "Wordy": "ValueError: Wordy in seat 0 of TrustDilemma-v1: act() must return numbers, one share of the endowment",
    "Overlong": "SystemExit: no transcript",
}
ELSEWHERE = {"ImportsLate": "exits_when_imported.py:1"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "strangers.py").write_text(STRANGERS, encoding="utf-8")
    (tmp_path / "exits_when_imported.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("strangers", "exits_when_imported"):
        sys.modules.pop(name, None)


def place(name: str) -> str:
    lines = STRANGERS.splitlines()
    return ELSEWHERE.get(name) or f"strangers.py:{next(i for i, line in enumerate(lines, 1) if f'# {name}' in line)}"


def study(*agents: str, **facts: Any) -> Study:
    block = {"games": ["TrustDilemma-v1"], "agents": list(agents), "parameters": {"max_steps": 3}}
    settings = {"seeds": [1], "episodes": 1, "rewards": ["private"]}
    return Study.model_validate({"name": "strange", **settings, "blocks": [block], **facts})


def written(text: str) -> str:
    Path("strange.toml").write_text(text, encoding="utf-8")
    return "strange.toml"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "300"})


def require_told(rows: list[dict[str, Any]]) -> None:
    errors = {row["algorithm"].rpartition(":")[2]: row["error"] for row in rows if row["status"] == "failed"}
    assert errors.keys() == SAID.keys()
    for name, error in errors.items():
        last = error.splitlines()[-1]
        assert last.startswith(SAID[name]), last
        assert last.endswith(f"({place(name)})"), last
        assert len(error) < 50_000
    assert {row["algorithm"] for row in rows if row["status"] == "completed"} == {"strangers:Plain", "TitForTat"}


def test_in_this_process_each_is_a_failed_run_with_its_place_in_the_terminal(here: Path) -> None:
    agents = ", ".join(f'"strangers:{name}"' for name in ("Plain", *SAID))
    file = written(
        'name = "strange"\nseeds = [1]\nepisodes = 1\nrewards = ["private"]\n[[blocks]]\ngames = ["TrustDilemma-v1"]\n'
        f'parameters = {{ max_steps = 3 }}\nagents = [{agents}, "TitForTat"]\n'
    )
    done = call("run", file, "--out", "out", "--workers", "0")
    assert done.exit_code == 1, done.output
    assert f"{len(SAID) + 2} runs computed, 0 already there, {len(SAID)} failed" in done.output
    for name, said in SAID.items():
        told = next(line for line in done.output.splitlines() if place(name) in line and said in line)
        assert told.strip().startswith("1 × "), told
        assert f"strangers:{name}: 1 of 1 runs failed" in done.output
    require_told(load_corpus("out").runs.to_pylist())


def test_in_worker_processes_too(here: Path, run: Callable[..., Any]) -> None:
    outcome = run(
        study("strangers:Plain", *(f"strangers:{name}" for name in SAID), "TitForTat"), Path("out"), ProcessPool(1)
    )
    assert outcome.failed == len(SAID)
    require_told(load_corpus("out").runs.to_pylist())


PRESSED = """

class Pressed(Plain):
    def act(self, observation):
        import signal
        signal.raise_signal(signal.SIGINT)
"""


def test_a_real_interrupt_stays_one(here: Path, run: Callable[..., Any]) -> None:
    (here / "strangers.py").write_text(STRANGERS + PRESSED, encoding="utf-8")
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(study("strangers:Pressed"), Path("out"))
    assert signal.getsignal(signal.SIGINT) is before
    assert not list(Path("out").glob("runs/*.parquet"))


def test_in_a_scenario_too(here: Path, run: Callable[..., Any]) -> None:
    block = {"games": ["TrustDilemma-v1"], "agents": ["TitForTat"], "parameters": {"max_steps": 3}}
    met = {"scenarios": [{"name": "met", "background": ["strangers:Exits"]}]}
    outcome = run(study(blocks=[block | met]), Path("out"))
    assert (outcome.computed, outcome.failed) == (2, 1)
    (error,) = (row["error"] for row in load_corpus("out").runs.to_pylist() if row["status"] == "failed")
    assert error.splitlines()[-1] == f"SystemExit: 0 ({place('Exits')})"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("import sys\nsys.exit(0)\n", r"SystemExit: 0 \(at_import\.py:2\)"),
        ("\nraise KeyboardInterrupt\n", r"KeyboardInterrupt \(at_import\.py:2\)"),
        ("class Agent:\n    def begin(:\n", r"SyntaxError: .* \(at_import\.py:2\)"),
        ("class E(BaseException): pass\nraise E('[/b]')\n", r"E: \[/b\] \(at_import\.py:2\)"),
        ("def __getattr__(name):\n    raise SystemExit(0)\n", r"SystemExit: 0 \(at_import\.py:2\)"),
    ],
)
def test_a_module_that_ends_everything_when_imported_is_refused(
    here: Path, content: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "at_import.py").write_text(content, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "at_import", raising=False)
    named = call("run", "quick", "--agent", "at_import:Agent", "--out", "out")
    assert (named.exit_code, Path("out").exists()) == (2, False), named.output
    file = written('name = "x"\n[[blocks]]\ngames = ["TrustDilemma-v1"]\nagents = ["at_import:Agent"]\n')
    in_study = call("run", file, "--out", "out")
    assert (in_study.exit_code, Path("out").exists()) == (2, False), in_study.output
    assert all(re.search(said, done.output) for done in (named, in_study))


SHY = """
class Agent:
    def begin(self, seat, episodes, rng): ...
    def act(self, observation): ...
    def identity(self):
        raise SystemExit(0)
"""


def test_an_agent_that_ends_everything_when_asked_what_it_is_is_refused(here: Path) -> None:
    (here / "shy_agent.py").write_text(SHY)
    done = call("run", "quick", "--agent", "shy_agent:Agent", "--out", "out")
    assert done.exit_code == 2
    assert done.output == "coopgym: agent 'shy_agent:Agent' cannot say what it is: SystemExit: 0 (shy_agent.py:6)\n"
    with pytest.raises(ValueError, match="cannot say what it is"):
        _ = expand(study("shy_agent:Agent"))[0].run_id


@pytest.mark.parametrize("name", ["Exits", "Interrupts", "Marked"])
def test_outside_studies_one_line_tells_it_and_the_exit_code_is_1(here: Path, name: str) -> None:
    for arguments in (
        ["tournament", "TrustDilemma-v1", "--agent", f"strangers:{name}", "--agent", "TitForTat", "--seeds", "1"],
        ["play", "TrustDilemma-v1", "--partner", f"strangers:{name}"],
    ):
        done = CliRunner().invoke(app, arguments, input="\n" * 200)
        assert done.exit_code == 1, done.output
        assert done.output.splitlines()[-1].endswith(f"coopgym: {SAID[name]} ({place(name)})")
