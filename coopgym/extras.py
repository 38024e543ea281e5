"""Packages that only some of the work needs, and the extra of coopgym that brings each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec

EXTRAS: Mapping[str, str] = {
    "datasets": "interop",
    "duckdb": "data",
    "filelock": "bench",
    "fsspec": "data",
    "httpx": "llm",
    "jinja2": "bench",
    "matplotlib": "bench",
    "peft": "llm",
    "polars": "data",
    "pydantic": "bench",
    "pygame": "perf",
    "ray": "ray",
    "rich": "bench",
    "safetensors": "torch",
    "stable_baselines3": "sb3",
    "torch": "torch",
    "transformers": "llm",
    "typer": "bench",
    "verifiers": "interop",
}
"""Extras by the module that a program imports. What several bring is listed with the one that most users want."""


class MissingExtraError(ImportError):
    """A package of an extra is not installed; the message is one line that names both and says what to type."""


def missing_extra(purpose: str, module: str, extra: str | None = None) -> MissingExtraError:
    """Return the error to raise where a module is missing.

    Args:
        purpose: what needs the module, as the subject of a sentence in the singular.
        module: the module that cannot be imported.
        extra: what brings it; None looks it up in `EXTRAS`.
    """
    package = module.replace("_", "-")
    wanted = f"coopgym[{extra or EXTRAS[module]}]"
    return MissingExtraError(f"{purpose} needs {package}; install it with: pip install '{wanted}'", name=module)


def require(purpose: str, *modules: str) -> None:
    """Make sure that modules of extras can be imported, without importing them.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    for module in modules:
        if find_spec(module) is None:
            raise missing_extra(purpose, module)


def explained(error: ImportError, purpose: str) -> MissingExtraError | None:
    """Return the error that names the extra, where one brings what could not be imported; None for other errors."""
    if isinstance(error, MissingExtraError):
        return error
    module = (error.name or "").partition(".")[0]
    named = isinstance(error, ModuleNotFoundError) and module in EXTRAS
    return missing_extra(purpose, module) if named else None


@contextmanager
def extras_named(purpose: str) -> Iterator[None]:
    """Name the extra that brings what could not be imported inside.

    Raises:
        MissingExtraError: in the place of the error of an import of something in `EXTRAS`.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        named = explained(error, purpose)
        if named is None:
            raise
        raise named from error
