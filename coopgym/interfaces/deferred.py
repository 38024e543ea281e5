"""Dictionaries that are filled when somebody looks into them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any


class DeferredInfo(dict[str, Any]):
    """An ``info`` whose content is reckoned when it is first read, as most learners never read it.

    What it tells is fixed all the same: it is reckoned from arrays that nobody changes. Entries that wrappers write
    before they read stay as written.
    """

    __slots__ = ("_reckon",)

    def __init__(self, reckon: Callable[[], dict[str, Any]]) -> None:
        self._reckon: Callable[[], dict[str, Any]] | None = reckon

    def _fill(self) -> None:
        if self._reckon is not None:
            reckon, self._reckon = self._reckon, None
            for name, value in reckon().items():
                self.setdefault(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def _filling_first(name: str) -> Any:
    method = getattr(dict, name)

    @wraps(method)
    def filled(self: DeferredInfo, *arguments: Any) -> Any:
        self._fill()
        return method(self, *arguments)

    return filled


_READING = (
    "__contains__ __delitem__ __eq__ __getitem__ __ior__ __iter__ __len__ __ne__ __or__ __repr__ __reversed__ __ror__ "
    "clear copy get items keys pop popitem setdefault values"
)
for _name in _READING.split():
    setattr(DeferredInfo, _name, _filling_first(_name))
