"""The hash of a user's agent: all of its own code, whichever of its files it stands in."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from coopgym.user_code import INSTALLED, OURS


def source_hash(name: str, agent: object) -> str | None:
    """Return the hash of the code behind an agent, or None where there is no file, as at an interactive prompt.

    That is the module that ``module:Class`` names and the one that defines the class. Of a package all source files
    count. A module by itself counts with the local modules that it imports: those that lie beside it, directly or
    through others, packages with all their files. Imports are found in the text; nothing is run. What is read as data,
    or imported under a name that is put together while it runs, is not found: `coopgym.agents.Strategy.identity`.
    """
    modules = [type(agent).__module__, *([name.partition(":")[0]] if ":" in name else ())]
    files = {Path(file).resolve(): module for module in modules if (file := _file_of(module))}
    return _hash_of(tuple(sorted(files.items()))) if files else None


def _file_of(module: str) -> str | None:
    loaded = sys.modules.get(module)
    try:
        return inspect.getsourcefile(loaded) if loaded else None
    except TypeError:  # built in, or made at a prompt
        return None


@cache
def _hash_of(modules: tuple[tuple[Path, str], ...]) -> str:
    digest = hashlib.sha256()
    for root, files in sorted(_sources(modules).items()):
        for file in sorted(files):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _sources(modules: tuple[tuple[Path, str], ...]) -> dict[Path, set[Path]]:
    """Return the files that belong to modules, by the folder that they are imported from."""
    found: dict[Path, set[Path]] = {}
    for file, module in modules:
        depth = module.count(".") + (file.name == "__init__.py")
        root = file.parents[depth]
        known = found.setdefault(root, set())
        waiting = set(_unit(root, module.partition(".")[0])) or {file}
        while waiting:
            known |= waiting
            names = {name for each in waiting for name in _imported(each)} - {OURS}
            local = () if root in INSTALLED else (each for name in names for each in _unit(root, name))
            waiting = set(local) - known
    return found


def _unit(root: Path, name: str) -> Iterator[Path]:
    """Yield the files of a top-level module or package of a folder; nothing where it has none of this name."""
    package, module = root / name, root / f"{name}.py"
    if module.is_file() and not (package / "__init__.py").exists():
        yield module
    elif package.is_dir():
        yield from (file for file in package.rglob("*.py") if file.is_file())


def _imported(file: Path) -> Iterator[str]:
    """Yield the top-level names that a file imports; relative imports stay in its own package."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # whoever runs it will hear of that
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
