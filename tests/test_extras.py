"""Without the packages of an extra, every command and import ends in one line that names it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from coopgym.extras import EXTRAS, MissingExtraError, explained, extras_named, require

HIDING = """
import sys

class Hiding:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {hidden!r} else self.finder.find_spec(name, path, target)

sys.meta_path[:] = map(Hiding, sys.meta_path)
"""
"""Makes packages absent, as in an environment where nobody has installed them."""

NURSERY = """
import json, os, sys
import coopgym, gymnasium, numpy, pettingzoo, pyarrow, scipy.stats
from coopgym.extras import EXTRAS

assert not EXTRAS.keys() & sys.modules.keys()

for line in sys.stdin:
    folder, program = json.loads(line)
    pid = os.fork()
    if not pid:
        os.chdir(folder)
        streams = [os.open("stdin", os.O_RDONLY), os.open("stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)]
        for stream, target in zip(streams, (0, 2)):
            os.dup2(stream, target)
        os.dup2(2, 1)
        exec(program)
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
"""Runs the programs that it reads, each in a process of its own that need not import first what nobody hides."""

STUDY = """
name = "tiny"
seeds = [1]
episodes = 1
[[blocks]]
games = ["TrustDilemma-v1"]
parameters = { max_steps = 3 }
agents = ["Random"]
constants = { step = 100 }
"""

BENCH = ("typer", "rich", "pydantic", "jinja2", "filelock", "matplotlib")
LEARNING = ("torch", "safetensors")


slow = partial(pytest.param, marks=pytest.mark.slow)
"""By default one command of each extra is tried, and one that finds it missing late."""
Ended: TypeAlias = "tuple[int, str]"
"""The exit status of a program, and what it said."""
Without: TypeAlias = Callable[[tuple[str, ...], str], Ended]


@pytest.fixture(scope="module")
def nursery() -> Iterator[subprocess.Popen[str]]:
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", NURSERY], text=True, **streams) as process:
        yield process


@pytest.fixture
def without(nursery: subprocess.Popen[str], tmp_path: Path) -> Without:
    """Run a program in an interpreter that does not have some packages."""

    def run(hidden: tuple[str, ...], program: str) -> Ended:
        (tmp_path / "stdin").write_text("30\n")
        print(json.dumps([str(tmp_path), HIDING.format(hidden=hidden) + program]), file=nursery.stdin, flush=True)
        return int(nursery.stdout.readline()), (tmp_path / "stderr").read_text()

    return run


@pytest.fixture
def command(without: Without, tmp_path: Path) -> Without:
    """Run a command line likewise."""
    (tmp_path / "tiny.toml").write_text(STUDY)

    def run(hidden: tuple[str, ...], arguments: str) -> Ended:
        called = f"sys.argv = {['coopgym', *arguments.split()]!r}"
        return without(hidden, f"{called}\nfrom coopgym.benchmarks.__main__ import main\nmain()")

    return run


@pytest.mark.parametrize(
    ("hidden", "arguments", "package", "extra"),
    [
        (BENCH, "--help", "typer", "bench"),
        (("rich",), "games", "rich", "bench"),
        slow(BENCH[2:], "run tiny.toml --dry-run", "pydantic", "bench"),
        slow(("jinja2",), "run tiny.toml --workers 0", "jinja2", "bench"),
        slow(("filelock",), "run tiny.toml --workers 0", "filelock", "bench"),
        (("matplotlib",), "run tiny.toml --workers 0", "matplotlib", "bench"),
        (LEARNING, "run quick --dry-run", "torch", "torch"),
        slow(("safetensors",), "run quick --dry-run", "safetensors", "torch"),
        slow(LEARNING, "train TrustDilemma-v1 --agent llm", "torch", "torch"),
        slow(LEARNING, "plan TrustDilemma-v1", "torch", "torch"),
        (("stable_baselines3",), "train TrustDilemma-v1 --agent sb3ppo --steps 64", "stable-baselines3", "sb3,torch"),
        (("ray",), "run tiny.toml --ray auto", "ray", "ray"),
        (("fsspec",), "data show memory://corpus", "fsspec", "data"),
        (("httpx",), "play TrustDilemma-v1 --partner llm:http://127.0.0.1:9/v1", "httpx", "llm"),
        slow(("pygame",), "bench C1 --quick", "pygame", "perf"),
        slow(LEARNING, "bench C8 --quick", "torch", "torch"),
    ],
)
def test_a_command_without_what_it_needs_names_the_extra_in_one_line(
    hidden: tuple[str, ...], arguments: str, package: str, extra: str, command: Without
) -> None:
    status, said = command(hidden, arguments)
    assert status == 2, said
    last = said.splitlines()[-1]
    assert last.startswith("coopgym: ")
    assert last.endswith(f" needs {package}; install it with: pip install 'coopgym[{extra}]'")
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("hidden", "statement", "extra"),
    [
        (LEARNING, "from coopgym.algorithms import IPPO", "torch"),
        (LEARNING, "from coopgym.algorithms.marl import IPPO", "torch"),
        (LEARNING, "import coopgym.algorithms.marl.on_policy.ppo", "torch"),
        (LEARNING, "from coopgym.algorithms.llm import LLM", "torch"),
        (LEARNING, "from coopgym.algorithms.llm.models import SmallModel", "torch"),
        (LEARNING, "from coopgym.algorithms import learners; learners()['QMIX']", "torch"),
        (LEARNING, "import coopgym; coopgym.torch_env('TrustDilemma-v1', 2)", "torch"),
        (("safetensors",), "from coopgym.algorithms.marl import load_agents", "torch"),
        (("stable_baselines3",), "import coopgym.interfaces.sb3", "sb3"),
        (("duckdb",), "import coopgym; coopgym.load_corpus('audit-v0').sql('select 1')", "data"),
        (("polars",), "import coopgym; coopgym.load_corpus('audit-v0').runs.to_polars()", "data"),
        (("datasets",), "import coopgym.algorithms.llm.adapters.trl as trl; trl.task_rows(1)", "interop"),
        (("verifiers",), "import coopgym.algorithms.llm.adapters.verifiers", "interop"),
    ],
)
def test_an_import_without_what_it_needs_names_the_extra(
    hidden: tuple[str, ...], statement: str, extra: str, without: Without
) -> None:
    status, said = without(hidden, statement)
    assert status == 1, said
    last = said.splitlines()[-1]
    assert last.startswith("coopgym.extras.MissingExtraError: ")
    assert last.endswith(f"; install it with: pip install 'coopgym[{extra}]'")


def test_without_any_extra_the_games_can_be_played() -> None:
    program = """
import coopgym, gymnasium
gymnasium.make("coopgym/TrustDilemma-v1").reset(seed=0)
coopgym.parallel_env("TrustDilemma-v1").reset(seed=0)
coopgym.text_env("TrustDilemma-v1").prompt(0)
assert coopgym.load_corpus("audit-v0").runs.arrow.num_rows
"""
    fresh = HIDING.format(hidden=tuple(EXTRAS)) + program
    subprocess.run([sys.executable, "-c", fresh], check=True)


def test_without_torch_a_study_without_learners_runs(command: Without, tmp_path: Path) -> None:
    status, said = command((*LEARNING, "ray", "stable_baselines3", "duckdb"), "run tiny.toml --workers 0 --out out")
    assert status == 0, said
    assert (tmp_path / "out" / "report.html").exists()


def test_a_study_imports_only_the_learners_that_it_names(without: Without, tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(
        STUDY.replace("constants", '[[blocks.learners]]\nname = "IPPO"\nenv_steps = 64\n#')
    )
    program = """
from pathlib import Path
from coopgym.benchmarks.study import load_study
load_study("one.toml")
from coopgym.algorithms import LEARNERS
assert {name for name, module in LEARNERS.items() if module in sys.modules} == {"IPPO"}
"""
    status, said = without((), program)
    assert status == 0, said


def test_errors_of_other_imports_stay_what_they_are() -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_module'"), extras_named("this"):
        import no_such_module  # noqa: F401
    assert explained(ImportError("cannot import name", name="torch"), "this") is None
    require("this", "json", "numpy")
    message = r"^that needs pygame; install it with: pip install 'coopgym\[perf\]'$"
    with pytest.raises(MissingExtraError, match=message), extras_named("that"):
        raise ModuleNotFoundError("No module named 'pygame.font'", name="pygame.font")
