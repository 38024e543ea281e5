"""Do other projects' tools work on the games? Runs their tests in environments of their own; ``make clients``.

farama
    stable-baselines3 with its contributions, SuperSuit, Minari, Tianshou
torchrl
    TorchRL and BenchMARL, which holds TorchRL back
rllib
    RLlib, which pins Gymnasium

Each has its versions in a file of constraints beside this one. The tests lie in ``with_*.py``, which no other run
collects. What pip is told by its own configuration (an index, a folder of wheels) holds here too.
"""

from __future__ import annotations

import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from pathlib import Path

from tests.floors import asked_for, run

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Environment:
    """What is installed together, and whose tests run then."""

    packages: tuple[str, ...]
    clients: tuple[str, ...]


ENVIRONMENTS = {
    "farama": Environment(
        ("stable-baselines3", "sb3-contrib", "supersuit", "minari[create,hdf5]", "tianshou"),
        ("sb3", "supersuit", "minari", "tianshou"),
    ),
    "torchrl": Environment(("torchrl", "benchmarl"), ("torchrl", "benchmarl")),
    "rllib": Environment(("ray[rllib]", "torch"), ("rllib",)),
}
TOOLS = ("pytest", "pytest-timeout")


def install(name: str, wheel: Path, into: Path) -> Path:
    """Make a fresh environment and return its Python."""
    venv.create(into, with_pip=True, clear=True)
    python = into / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    pins = str(HERE / f"constraints_{name}.txt")
    wanted = (f"coopgym[render] @ {wheel.as_uri()}", *ENVIRONMENTS[name].packages, *TOOLS)
    run((*pip, "-c", pins, *wanted), into / "install.log", into)
    return python


def outcome(python: Path, client: str, folder: Path) -> str:
    """Run the tests of a client and return what pytest says in the end."""
    started = time.monotonic()
    pytest = ("-m", "pytest", "-c", str(HERE / "pytest.ini"), "--rootdir", str(HERE), "--confcutdir", str(HERE))
    ended = subprocess.run(
        (str(python), *pytest, str(HERE / f"with_{client}.py")), cwd=folder, capture_output=True, text=True, check=False
    )
    (folder / f"{client}.log").write_text(ended.stdout + ended.stderr)
    last = (ended.stdout + ended.stderr).strip().splitlines()[-1:] or ["said nothing"]
    verdict = "passed" if ended.returncode == 0 else f"FAILED, exit code {ended.returncode}"
    return f"{client:10} {verdict} in {time.monotonic() - started:.0f} s: {last[0]}"


def main() -> None:
    """Test the clients of the environments that are named, or of all; end with exit code 1 if something failed."""
    outcomes = []
    with asked_for(__doc__, ENVIRONMENTS) as (names, into, wheel):
        for name in names:
            python = install(name, wheel, into / name)
            for client in ENVIRONMENTS[name].clients:
                outcomes.append(outcome(python, client, into / name))
                print(f"{name:8} {outcomes[-1]}", flush=True)
    if any("FAILED" in each for each in outcomes):
        sys.exit(1)


if __name__ == "__main__":
    main()
