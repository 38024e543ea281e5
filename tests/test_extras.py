"""Without the packages of an extra, every command and import ends in one line that names it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def without(hidden: tuple[str, ...], program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh interpreter that does not have some packages."""
    text = HIDING.format(hidden=hidden) + program
    return subprocess.run(
        [sys.executable, "-c", text], input="30\n", capture_output=True, text=True, cwd=folder, check=False
    )


def command(hidden: tuple[str, ...], arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = f"sys.argv = {['coopgym', *arguments.split()]!r}\nfrom coopgym.benchmarks.__main__ import main\nmain()"
    (folder / "tiny.toml").write_text(STUDY)
    return without(hidden, program, folder)


@pytest.mark.parametrize(
    ("hidden", "arguments", "package", "extra"),
    [
        (BENCH, "--help", "typer", "bench"),
        (("rich",), "games", "rich", "bench"),
        (BENCH[2:], "run tiny.toml --dry-run", "pydantic", "bench"),
        (("jinja2",), "run tiny.toml --workers 0", "jinja2", "bench"),
        (("filelock",), "run tiny.toml --workers 0", "filelock", "bench"),
        (("matplotlib",), "run tiny.toml --workers 0", "matplotlib", "bench"),
        (LEARNING, "run quick --dry-run", "torch", "torch"),
        (("safetensors",), "run quick --dry-run", "safetensors", "torch"),
        (LEARNING, "train TrustDilemma-v1 --agent llm", "torch", "torch"),
        (LEARNING, "plan TrustDilemma-v1", "torch", "torch"),
        (("stable_baselines3",), "train TrustDilemma-v1 --agent sb3ppo --steps 64", "stable-baselines3", "sb3,torch"),
        (("ray",), "run tiny.toml --ray auto", "ray", "ray"),
        (("fsspec",), "data show memory://corpus", "fsspec", "data"),
        (("httpx",), "play TrustDilemma-v1 --partner llm:http://127.0.0.1:9/v1", "httpx", "llm"),
        (("pygame",), "bench C1 --quick", "pygame", "perf"),
        (LEARNING, "bench C8 --quick", "torch", "torch"),
    ],
)
def test_a_command_without_what_it_needs_names_the_extra_in_one_line(
    hidden: tuple[str, ...], arguments: str, package: str, extra: str, tmp_path: Path
) -> None:
    ended = command(hidden, arguments, tmp_path)
    assert ended.returncode == 2, ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("coopgym: ")
    assert last.endswith(f" needs {package}; install it with: pip install 'coopgym[{extra}]'")
    assert "Traceback" not in ended.stderr


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
    hidden: tuple[str, ...], statement: str, extra: str, tmp_path: Path
) -> None:
    ended = without(hidden, statement, tmp_path)
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("coopgym.extras.MissingExtraError: ")
    assert last.endswith(f"; install it with: pip install 'coopgym[{extra}]'")


def test_without_any_extra_the_games_can_be_played(tmp_path: Path) -> None:
    program = """
import coopgym, gymnasium
gymnasium.make("coopgym/TrustDilemma-v1").reset(seed=0)
coopgym.parallel_env("TrustDilemma-v1").reset(seed=0)
coopgym.text_env("TrustDilemma-v1").prompt(0)
assert coopgym.load_corpus("audit-v0").runs.arrow.num_rows
"""
    ended = without(tuple(EXTRAS), program, tmp_path)
    assert ended.returncode == 0, ended.stderr


def test_without_torch_a_study_without_learners_runs(tmp_path: Path) -> None:
    ended = command((*LEARNING, "ray", "stable_baselines3", "duckdb"), "run tiny.toml --workers 0 --out out", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "out" / "report.html").exists()


def test_a_study_imports_only_the_learners_that_it_names(tmp_path: Path) -> None:
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
    ended = without((), program, tmp_path)
    assert ended.returncode == 0, ended.stderr


def test_errors_of_other_imports_stay_what_they_are() -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_module'"), extras_named("this"):
        import no_such_module  # noqa: F401
    assert explained(ImportError("cannot import name", name="torch"), "this") is None
    require("this", "json", "numpy")
    message = r"^that needs pygame; install it with: pip install 'coopgym\[perf\]'$"
    with pytest.raises(MissingExtraError, match=message), extras_named("that"):
        raise ModuleNotFoundError("No module named 'pygame.font'", name="pygame.font")
