"""Do the declared floors hold? Installs the wheel into fresh environments and uses it there; run with ``make floors``.

lowest
    every extra of ``all`` and ``perf``, with the lowest version that pyproject.toml declares of each package
rllib
    the same extras with what RLlib itself pins (Gymnasium) and what AgileRL does (PettingZoo)
newest
    the same extras with the newest releases
readme
    what the README says to install, and the whole quick study
base
    no extra: the games work, and the command line says in one line what it needs
video
    moviepy: `RecordVideo` writes a film
unlinked
    a checkout whose links are plain files, as where a file system has none: it installs in place, and tests pass

The wheel is built from such a checkout too. Everything runs in a folder whose project has packages of its own that are
named like the parts of ours. torch is the release of constraints.txt in all of them: older ones are served as builds
for CUDA only, gigabytes each. What pip is told by its own configuration (an index, a folder of wheels) holds here too.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TORCH = re.search(r"^torch==\S+$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[0]
README = (ROOT / "README.md").read_text(encoding="utf-8")
README_EXTRAS = re.search(r'pip install "\.\[(.+?)\]"', README)[1]
README_LINKS = re.findall(r"\]\((?!https?:)([^)#]+)", README)
SHOWN = ("gymnasium", "pettingzoo", "numpy", "scipy", "pyarrow", "pydantic", "typer", "matplotlib", "stable-baselines3")
IN_THE_SDIST = ("tests/floors.py", "docs/scores.md", "CHANGELOG.md", "CONTRIBUTING.md", "constraints.txt", "Makefile",
                "requirements.lock", "LICENSE-DATA", "data/audit-v1/runs/all.parquet",
                "tests/data/versions.json")  # fmt: skip
CHECKOUT = "checkout"
NAMESAKES = ("algorithms", "oracles", "benchmarks")
PACKAGED_CORPUS = "audit-v0"
LARGEST_WHEEL, LARGEST_CORPORA = 4_000_000, 3_000_000

PLAY = """
import gymnasium, coopgym
env = gymnasium.make("coopgym/TrustDilemma-v1")
env.reset(seed=0); env.step(env.action_space.sample())
vec = gymnasium.make_vec("coopgym/TrustDilemma-v1", num_envs=4)
vec.reset(seed=0); vec.step(vec.action_space.sample())
"""
PARALLEL = """
import coopgym
for env in (coopgym.parallel_env("TeamProduction-v1"), coopgym.aec_env("TeamProduction-v1")):
    env.reset(seed=0)
env = coopgym.parallel_env("TeamProduction-v1")
env.reset(seed=0); env.step({agent: env.action_space(agent).sample() for agent in env.agents})
"""
CORPUS = f"""
import coopgym
corpus = coopgym.load_corpus("{PACKAGED_CORPUS}")
assert corpus.runs.arrow.num_rows and "site-packages" in str(corpus.path), corpus.path
"""
FILM = """
import gymnasium, coopgym
from pathlib import Path
env = gymnasium.make("coopgym/TrustDilemma-v1", render_mode="rgb_array", max_steps=3)
env = gymnasium.wrappers.RecordVideo(env, "film")
env.reset(seed=0)
while not any(env.step(env.action_space.sample())[2:4]): pass
env.close()
assert list(Path("film").glob("*.mp4"))
"""


@dataclass(frozen=True)
class Check:
    """A command to run in an environment, outside of the checkout."""

    name: str
    command: tuple[str, ...]
    code: int = 0
    one_line: str = ""
    """All that it may say, where that matters."""


def python(name: str, program: str) -> Check:
    return Check(name, ("python", "-c", program))


BASICS = (python("play", PLAY), python("parallel", PARALLEL), python("corpus", CORPUS))
FETCH = ("coopgym", "data", "get", "audit-v1", "--from", (ROOT / "data").as_uri())
COMMANDS = (
    Check("help", ("coopgym", "--help")),
    Check("list", ("coopgym", "data", "list")),
    Check("fetch", FETCH),
    Check("verify", ("coopgym", "data", "verify", "audit-v1")),
)
PART = Check("quick, a part", ("coopgym", "run", "quick", "--only", "*TrustDilemma*"))
PYTEST = (
    "python",
    "-m",
    "pytest",
    "-m",
    "not slow",
    "-n",
    "2",
    "-p",
    "no:cacheprovider",
    "-c",
    f"{ROOT}/pyproject.toml",
    f"--rootdir={ROOT}",
)
TESTS = Check("tests", (*PYTEST, f"{ROOT}/tests/interfaces", f"{ROOT}/tests/test_imports.py"))
ALL_TESTS = Check("tests", ("python", "-m", "pytest", "-m", "not slow", "-n", "2", "-p", "no:cacheprovider"))
NO_TYPER = "coopgym: this command needs typer; install it with: pip install 'coopgym[bench]'"


@dataclass(frozen=True)
class Environment:
    """What is installed, and what must work then."""

    extras: str
    checks: tuple[Check, ...]
    lowest: bool = False
    beside: tuple[str, ...] = ()
    """Further requirements that say what others pin."""
    tools: tuple[str, ...] = ()
    in_place: bool = False
    """Whether the checkout is installed in the place of the wheel, and checks run in it."""


TEST_TOOLS = ("pytest", "pytest-timeout", "pytest-xdist", "hypothesis")
ENVIRONMENTS = {
    "lowest": Environment("all,perf", (*BASICS, *COMMANDS, PART, TESTS), lowest=True, tools=TEST_TOOLS),
    "rllib": Environment(
        "all,perf", (*BASICS, *COMMANDS, PART, TESTS), beside=("ray[rllib]", "pettingzoo<1.27"), tools=TEST_TOOLS
    ),
    "newest": Environment("all,perf", (*BASICS, *COMMANDS, PART, TESTS), tools=TEST_TOOLS),
    "readme": Environment(README_EXTRAS, (*BASICS, *COMMANDS, Check("quick", ("coopgym", "run", "quick")))),
    "base": Environment("", (*BASICS, Check("help", ("coopgym", "--help"), 2, NO_TYPER))),
    "video": Environment("video", (*BASICS, python("film", FILM))),
    "unlinked": Environment("dev", (ALL_TESTS,), in_place=True),
}


def build(into: Path) -> Path:
    """Build sdist and, from it, the wheel; check what is in them and return the wheel."""
    shutil.rmtree(into, ignore_errors=True)
    clean = into / CHECKOUT
    files = subprocess.run(("git", "ls-files", "-z"), cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for file in filter(None, files.split("\0")):  # what lies about must not get in
        (clean / file).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / file).is_symlink():
            (clean / file).write_text(os.readlink(ROOT / file))
        else:
            shutil.copy2(ROOT / file, clean / file)
    run((sys.executable, "-m", "build", "--outdir", str(into), str(clean)), into / "build.log", into)
    (sdist,), (wheel,) = into.glob("*.tar.gz"), into.glob("*.whl")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    if missing := [name for name in (*IN_THE_SDIST, *README_LINKS) if name not in held]:
        raise SystemExit(f"{sdist.name}: misses {', '.join(missing)}")
    with zipfile.ZipFile(wheel) as archive:
        sizes = {each.filename: each.file_size for each in archive.infolist()}
    corpora = sum(size for name, size in sizes.items() if name.startswith("coopgym/corpus/packaged/"))
    if f"coopgym/corpus/packaged/{PACKAGED_CORPUS}/runs/all.parquet" not in sizes:
        raise SystemExit(f"{wheel.name}: misses the corpus {PACKAGED_CORPUS}")
    tops = {name.partition("/")[0] for name in sizes if ".dist-info/" not in name}
    if strays := tops - {"coopgym"}:
        raise SystemExit(f"{wheel.name}: holds {', '.join(sorted(strays))}")
    if wheel.stat().st_size > LARGEST_WHEEL or corpora > LARGEST_CORPORA:
        raise SystemExit(f"{wheel.name}: {wheel.stat().st_size:,} bytes, corpora {corpora:,}: too large")
    print(f"{wheel.name}: {wheel.stat().st_size:,} bytes, corpora {corpora:,}; {sdist.name}: {sdist.stat().st_size:,}")
    return wheel


def constraints(environment: Environment, into: Path) -> Path:
    """Write the versions that pip is to take: uv finds them faster, and can look for the lowest."""
    pinned, beside, override = into / "constraints.txt", into / "beside.in", into / "override.txt"
    beside.write_text("\n".join(environment.beside))
    override.write_text(TORCH)
    extras = [f"--extra={extra}" for extra in environment.extras.split(",") if extra]
    run(
        (
            *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", str(beside), *extras),
            *("--resolution", "lowest-direct" if environment.lowest else "highest", "--override", str(override)),
            *("--python-version", f"{sys.version_info[0]}.{sys.version_info[1]}", "--no-header", "--no-annotate"),
            *("--output-file", str(pinned)),
        ),
        into / "constraints.log",
        ROOT,
    )
    return pinned


def install(environment: Environment, wheel: Path, into: Path) -> Path:
    """Make a fresh environment and return its folder of programs."""
    shutil.rmtree(into, ignore_errors=True)
    venv.create(into, with_pip=True)
    programs = into / ("Scripts" if os.name == "nt" else "bin")
    pip = (str(programs / "python"), "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check")
    pins = str(constraints(environment, into))
    run(
        (*pip, "-c", pins, *_wanted(environment, wheel), *environment.beside, *environment.tools),
        into / "install.log",
        into,
    )
    return programs


def _wanted(environment: Environment, wheel: Path) -> tuple[str, ...]:
    if environment.in_place:
        return ("-e", f"{wheel.parent / CHECKOUT}[{environment.extras}]")
    return (f"coopgym[{environment.extras}] @ {wheel.as_uri()}" if environment.extras else str(wheel),)


def project(environment: Environment, wheel: Path, into: Path) -> Path:
    """Return the folder in which checks run: a project with packages named like parts of ours, or the checkout."""
    if environment.in_place:
        return wheel.parent / CHECKOUT
    for name in NAMESAKES:
        (into / name).mkdir(parents=True)
        (into / name / "__init__.py").write_text("raise RuntimeError('this is another project')\n")
    return into


def run(command: Sequence[str], log: Path, folder: Path) -> None:
    """Run what has to succeed, or end with what it said."""
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    log.write_text(ended.stdout + ended.stderr)
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)}\n{ended.stdout[-2000:]}{ended.stderr[-4000:]}")


def holds(check: Check, programs: Path, folder: Path) -> str:
    """Return how long a check took, or what went wrong."""
    started = time.monotonic()
    cache = {"COOPGYM_CACHE": str(folder / "cache")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COOPGYM_", "PYTHON"))}
    program, *arguments = check.command
    ended = subprocess.run(
        (str(programs / program), *arguments), cwd=folder, env=kept | cache, capture_output=True, text=True, check=False
    )
    said = ended.stdout + ended.stderr
    (folder / f"{check.name.replace(', ', '-').replace(' ', '-')}.log").write_text(said)
    if ended.returncode != check.code:
        return f"FAILED, exit code {ended.returncode}: {_ending(said)}"
    if check.one_line and said.strip() != check.one_line:
        return f"FAILED, said {said.strip()!r}"
    return f"{time.monotonic() - started:.0f} s"


def _ending(said: str) -> str:
    """Return the last line of what a check said and, under it, the tests that pytest names as failed."""
    lines = said.strip().splitlines()
    return "\n        ".join([*lines[-1:], *(line for line in lines if line.startswith(("FAILED ", "ERROR ")))])


def versions(programs: Path) -> str:
    """Return the versions of the packages that matter most."""
    freeze = (str(programs / "python"), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check")
    found = subprocess.run(freeze, capture_output=True, text=True, check=True).stdout.lower().replace("_", "-").split()
    installed = dict(each.split("==") for each in found)
    return ", ".join(f"{name} {installed[name]}" for name in (*SHOWN, "torch", "ray") if name in installed)


@contextmanager
def asked_for(description: str | None, known: Collection[str]) -> Iterator[tuple[Iterable[str], Path, Path]]:
    """Read the command line; give the environments it names, the folder they go into and the wheel, built there."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all if none")
    parser.add_argument("--into", type=Path, help="folder that keeps environments and logs; else a temporary one")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(known):
        parser.error(f"no environments {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    with tempfile.TemporaryDirectory() as temporary:
        into = (chosen.into or Path(temporary)).resolve()
        yield chosen.names or known, into, build(into / "built")


def main() -> None:
    """Check the environments that are named, or all of them; end with a table and exit code 1 if something failed."""
    table: dict[str, list[str]] = {}
    with asked_for(__doc__, ENVIRONMENTS) as (names, into, wheel):
        for name in names:
            programs = install(ENVIRONMENTS[name], wheel, into / name)
            table[name] = [versions(programs)]
            folder = project(ENVIRONMENTS[name], wheel, into / name / "work")
            for check in ENVIRONMENTS[name].checks:
                table[name].append(f"{check.name:14} {holds(check, programs, folder)}")
                print(f"{name:8} {table[name][-1]}", flush=True)
    print()
    for name, lines in table.items():
        print(name, *lines, sep="\n    ")
    if any("FAILED" in line for lines in table.values() for line in lines):
        sys.exit(1)


if __name__ == "__main__":
    main()
