"""Levels as models write them: what is read, what is refused, and how numbers are written back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.interfaces.text import IllegalCallError, on_grid, read_level
from coopgym.interfaces.text.action_parsing import echo, short_number
from coopgym.interfaces.text.arguments import Count, Level, Levels, Profile

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.integers(0, 100))
def test_every_grid_level_reads_back_however_it_is_written(percent: int) -> None:
    level = percent / 100
    assert {read_level(way) for way in (level, f"{level}", f"{level:.2f}", short_number(level), f"{percent}%")} == {
        level
    }


@given(st.floats(0, 1))
def test_levels_are_rounded_to_the_nearest_grid_point(share: float) -> None:
    assert abs(on_grid(share) - share) <= 0.005 + 1e-12
    assert on_grid(share) == round(on_grid(share), 2)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "half",
            "60 percent",
            "0.6 units",
            "-0.1",
            "+0.5",
            "1e-1",
            "nan",
            "inf",
            "1.01",
            "101%",
            "50%%",
            ".",
            "%",
        ),
        *("٠.٥", "0,5", "0x1", "1_0", "9" * 5000, None, True, [], {}, [0.5], math.nan, math.inf, -math.inf, -1e-9, 2),
    ],
)
def test_anything_else_is_refused_with_what_was_expected(value: object) -> None:
    with pytest.raises(IllegalCallError, match=r"is no level \(0 to 1, or 0% to 100%\)") as caught:
        read_level(value)
    assert len(str(caught.value)) < 80


@given(JSON_VALUES)
def test_whatever_a_model_sends_is_read_or_refused(value: object) -> None:
    for kind in (Level(), Count(20), Levels(20), Profile()):
        try:
            read = kind.read(value)
        except IllegalCallError:
            continue
        assert all(0 <= entry <= 20 for entry in (read if isinstance(read, tuple) else (read,)))
    assert len(echo(value)) <= 24


def test_a_number_too_long_to_write_is_refused_too() -> None:
    with pytest.raises(IllegalCallError, match="a huge number is no level"):
        read_level(10**5000)


def test_kinds_read_words_of_text_too() -> None:
    assert Count(20).read("7") == Count(20).read(7) == 7
    assert Levels(3).read(".5,60%") == Levels(3).read([0.5, "60%"]) == (0.5, 0.6)
    assert Profile().read(".2,.4") == (0.2, 0.4)
    assert Profile().read(0.2) == 0.2


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        (Count(20), "0", "no whole number from 1 to 20"),
        (Count(20), 2.0, "no whole number from 1 to 20"),
        (Count(20), "²", "no whole number from 1 to 20"),
        (Levels(2), [0.1, 0.2, 0.3], "no list of 1 to 2 levels"),
        (Levels(2), [], "no list of 1 to 2 levels"),
        (Levels(2), "0.1,,0.2", "no list of 1 to 2 levels"),
    ],
)
def test_other_kinds_say_what_they_expect(kind: object, value: object, problem: str) -> None:
    with pytest.raises(IllegalCallError, match=problem):
        kind.read(value)


@pytest.mark.parametrize(
    ("value", "text"), [(0.6, ".60"), (1.0, "1.00"), (-0.25, "-.25"), (-0.001, ".00"), (12.345, "12.35"), (0.0, ".00")]
)
def test_numbers_are_written_short(value: float, text: str) -> None:
    assert short_number(value) == text
