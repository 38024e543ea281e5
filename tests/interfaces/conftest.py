"""What all interface tests share."""

from __future__ import annotations

import pytest

OUTDATED = "ignore:.*is out of date.*:DeprecationWarning"
"""Gymnasium's hint at a later version of an environment: the released edition is older on purpose."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "interfaces":
            item.add_marker(pytest.mark.filterwarnings(OUTDATED))
