"""Names of agents that data bring along: a corpus from anybody must not decide which code runs here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_refused: ContextVar[dict[str, None] | None] = ContextVar("refused", default=None)
"""Names that were refused so far; None where names are the user's own."""


class UntrustedNameError(ValueError):
    """Data name code that would be imported, or an address that would be connected to, and nobody trusts them."""


@contextmanager
def names_from_data(*, trust: bool = False) -> Iterator[Collection[str]]:
    """Inside this block names of agents come from data, such as the rows or the study of a corpus.

    Names of modules, classes and addresses are then refused wherever they are resolved, however deep, unless the data
    are trusted: nothing is imported for them. Shipped agents and installed plug-ins are known without that.

    Yields:
        the names that were refused so far, each once.
    """
    if trust:
        yield ()
        return
    refused: dict[str, None] = {}
    before = _refused.set(refused)
    try:
        yield refused.keys()
    finally:
        _refused.reset(before)


def refuse_foreign(name: str) -> None:
    """Refuse a name with a colon if data bring it.

    Raises:
        UntrustedNameError: they do, and they are not trusted.
    """
    refused = _refused.get()
    if refused is None:
        return
    refused[name] = None
    raise UntrustedNameError(
        f"agent {name!r} is code or an address that these data name, and nothing that data name is imported or "
        "connected to unless you trust them: --trust"
    )
