"""Figures of the report: what stands on their axes, that they repeat byte by byte, and how they are told apart."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from typer.testing import CliRunner

from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.drawing import theme
from coopgym.benchmarks.drawing.formatting import amount, game_title, percent, signed, slug, tick
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, Span, dots
from coopgym.benchmarks.drawing.plots.lines import Axis, Level, Line, apart, lines
from coopgym.benchmarks.drawing.plots.maps import Field, Matrix, gain_map, matrix_figure
from coopgym.benchmarks.drawing.plots.scatter import Point, scatter
from coopgym.benchmarks.drawing.series_style import styles
from coopgym.benchmarks.drawing.theme import drawing, figure_file, svg
from coopgym.benchmarks.report.content.blocks import Chart, Fold, Gallery, Heatmap, charts
from coopgym.benchmarks.report.data.report_data import duplicates
from coopgym.benchmarks.score import Algorithm, Estimate
from tests.benchmarks.report_corpora import played, run_row, surface_rows, written

LOOK = styles([Algorithm("IPPO", "learner")])["IPPO"]
HUE = LOOK.colour


def texts(figure: Figure) -> list[str]:
    """All that is written in a figure, from its SVG."""
    root = ElementTree.fromstring(drawing(figure, "figure"))
    return ["".join(each.itertext()) for each in root.iter() if each.tag.endswith("text")]


def ranked() -> Figure:
    rows = [Row("IPPO", [Dot(0.8, HUE, 0.7, 0.9)]), Row("a long name, max_steps = 40", [Dot(-3.0, HUE)])]
    return dots(
        rows, "score", title="Ranking", anchors=(0.0, 1.0), reference_scores={"stage Nash": 0.2}, shown=Span(low=-1.0)
    )


def learned() -> Figure:
    line = Line("IPPO", [0, 1, 2], [0.1, 0.5, 0.9], HUE, low=[0, 0.4, 0.8], high=[0.2, 0.6, 1.0])
    return lines(
        [line], Axis("steps"), Axis("share", (0, 1), (0, 0.5, 1), as_percent=True), levels=[Level("Random", 0.3)]
    )


def mapped() -> Figure:
    shares = np.linspace(0, 1, 11)
    return gain_map(
        Field(shares, shares, shares[:, None] - shares, shares), "others play, %", "seat 0 plays, %", "Game"
    )


def scattered() -> Figure:
    points = [Point(f"agent {i}", Estimate(i / 9, None, None, 1), Estimate(0.1, 0.05, 0.2, 3), LOOK) for i in range(10)]
    return scatter(points, "welfare", "Gini", title="private reward")


def matrix() -> Figure:
    values = np.array([[np.nan, 0.25], [-0.5, 1.0]])
    return matrix_figure(
        Matrix(["a", "b"], ["c", "d"], values, [["", "0.25"], ["−0.50", "1.00"]], values), "column", "row"
    )


FIGURES: dict[str, tuple[Callable[[], Figure], set[str]]] = {
    "dots": (ranked, {"Ranking", "score", "IPPO", "a long name,", "max_steps = 40", "stage Nash", "−1", "0", "1"}),
    "lines": (learned, {"IPPO", "Random", "steps", "share", "0\u00a0%", "50\u00a0%", "100\u00a0%"}),
    "maps": (mapped, {"Game", "others play, %", "seat 0 plays, %", "50", "100"}),
    "scatter": (scattered, {"welfare", "Gini", "private reward", "agent 0", "agent 9"}),
    "matrix": (matrix, {"a", "b", "c", "d", "column", "row", "0.25", "−0.50", "1.00"}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_axes_say_what_they_show(name: str) -> None:
    draw, expected = FIGURES[name]
    assert expected <= set(texts(draw()))


@pytest.mark.parametrize(("name", "form"), [*zip(FIGURES, itertools.cycle(get_args(theme.FileFormat)), strict=False)])
def test_files_repeat_byte_by_byte(name: str, form: theme.FileFormat) -> None:
    draw, _ = FIGURES[name]
    one, other = (figure_file(draw(), name, form) for _ in range(2))
    assert one == other
    assert one.startswith({"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}[form])


@pytest.mark.parametrize("name", FIGURES)
def test_inline_figures_follow_the_theme_and_share_no_ids(name: str) -> None:
    draw, _ = FIGURES[name]
    one, other = svg(draw(), f'{name} "one"'), svg(draw(), f"{name} two")
    assert not re.search(r"(?:fill|stroke): #", one)
    assert 'aria-label="' + name + ' &quot;one&quot;"' in one
    ids = [set(re.findall(r'\bid="([^"]+)"', each)) for each in (one, other)]
    assert not ids[0] & ids[1]
    ElementTree.fromstring(one.replace("xlink:", ""))


def test_values_off_the_axis_are_arrows_at_its_edge() -> None:
    marks = [line.get_marker() for line in ranked().axes[0].get_lines()]
    assert "<" in marks
    assert min(ranked().axes[0].get_xlim()) > -1.2


def test_names_of_crowded_points_do_not_cover_one_another() -> None:
    figure = scattered()
    figure.draw_without_rendering()
    boxes = [each.get_window_extent() for each in figure.axes[0].texts]
    assert len(boxes) > 5
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_names_go_where_no_interval_crosses_them() -> None:
    low, high = (Point(name, Estimate(value, None, None, 5), Estimate(value, None, None, 5), LOOK)
                 for name, value in (("low", -1.0), ("high", 1.0)))  # fmt: skip
    named = Point("a name", Estimate(0.0, None, None, 5), Estimate(0.0, None, None, 5), LOOK)
    crossing = Point("another", Estimate(0.1, None, None, 5), Estimate(0.8, -0.8, 0.9, 5), LOOK)
    (axes,) = scatter([low, named, crossing, high], "x", "y").axes
    axes.figure.draw_without_rendering()
    (box,) = (text.get_window_extent() for text in axes.texts if text.get_text() == "a name")
    place, line = (axes.transData.transform((value, 0.0))[0] for value in (0.0, 0.1))
    assert box.width > line - place, "to the right of its point it would lie on the line"
    assert not box.x0 < line < box.x1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_names_at_line_ends_keep_their_distance_and_order(wanted: list[float]) -> None:
    places = apart(sorted(wanted), 0.1)
    assert all(after - before >= 0.1 - 1e-9 for before, after in itertools.pairwise(places))
    assert places[-1] <= 1.0 + 1e-9
    free = all(after - before >= 0.1 for before, after in itertools.pairwise(sorted(wanted)))
    assert places == sorted(wanted) or not free, "nothing moves where there is room"


CONFUSIONS = {
    "none": np.eye(3),
    "deuteranopia": np.array([[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
    "protanopia": np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
}
"""Linear RGB as dichromats see it: Machado, Oliveira and Fernandes (2009), IEEE TVCG 15, 1291-1298."""


@pytest.mark.parametrize("confusion", CONFUSIONS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_algorithms_are_told_apart_by_colour_blind_readers(confusion: str, scheme: str) -> None:
    css = Path(theme.__file__).with_name("page.css").read_text()
    part = css.split("@media", 2)[["light", "dark"].index(scheme)]
    colours = dict(re.findall(r"--(hue\d|constant|private|integrated|cooperative): (#\w+);", part))
    seen = {name: lab(CONFUSIONS[confusion] @ linear(colour)) for name, colour in colours.items()}
    for family in ([name for name in seen if name[-1].isdigit() or name == "constant"], list(theme.MODE_COLOURS)):
        assert len(family) > 2
        for one, other in itertools.combinations(family, 2):
            assert np.linalg.norm(seen[one] - seen[other]) > 15, (one, other)


def linear(colour: str) -> npt.NDArray[np.float64]:
    """sRGB to linear RGB."""
    shares = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def lab(rgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Linear RGB to CIE L*a*b*, in which distances are about as large as they style."""
    to_xyz = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])
    xyz = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.0888])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_an_algorithm_has_one_look_and_no_other_has_the_same() -> None:
    algorithms = [Algorithm(f"L{i:02d}", "learner") for i in range(20)] + [Algorithm("TitForTat", "heuristic")]
    found = styles([*algorithms, Algorithm("Constant_00", "constant"), Algorithm("audit", "label")])
    assert found == styles(reversed([*algorithms, Algorithm("Constant_00", "constant")]))
    assert len({(style.colour, style.dash) for style in found.values()}) == len(found)
    assert {style.mark for style in found.values()} == {"o", "s", "X"}


def test_figures_are_found_wherever_they_stand() -> None:
    named = [Chart(name, name, ranked) for name in "abc"]
    heat = Heatmap("d", "d", Matrix([], [], np.zeros((0, 0)), [], np.zeros((0, 0))), "", "")
    blocks = [named[0], Fold("", [Gallery(named[1:2]), Fold("", [named[2]])]), heat]
    assert [chart.name for chart in charts(blocks)] == ["a", "b", "c", "d"]


def test_the_command_writes_figures_under_sensible_names(tmp_path: Path) -> None:
    rows = [played(f"Constant_{level:02d}", 5.0 + level / 50, reward_mode="integrated") for level in (0, 50, 100)]
    rows += [played("Random", 5.5, seed=seed, reward_mode="integrated") for seed in (1, 2)]
    audit = run_row("audit", protocol="surface", algorithm_kind="label", environment="Gone-v1", run_id="s")
    written(tmp_path / "runs", {"runs": [*rows, audit], "audit_surface": surface_rows("s")})
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        result = CliRunner().invoke(app, ["report", str(tmp_path / "runs"), "--figures", str(folder)])
        assert result.exit_code == 0, result.output
    names = sorted(path.name for path in folders[0].iterdir())
    assert {"ranking-all-games.svg", "surface-Gone-v1-max_steps=10-return.svg"} < set(names)
    assert {f"game-TrustDilemma-v1-max_steps=10-{panel}.svg" for panel in ("reactions", "phases", "schelling")} < set(
        names
    )
    assert names == sorted(path.name for path in folders[1].iterdir())
    for name in names:
        one, other = ((folder / name).read_bytes() for folder in folders)
        assert one == other
        ElementTree.fromstring(one)
    assert not (tmp_path / "runs" / "report.html").exists()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (signed(-0.001), "0.00"),
        (signed(-1.5), "−1.50"),
        (amount(1234.5), "1,234"),
        (amount(-0.0123), "−0.012"),
        (percent(0.256), "26\u00a0%"),
        (tick(-0.25, as_percent=True), "−25\u00a0%"),
        (tick(15000.0), "15,000"),
        (game_title('X-v1 {"a":0.5,"b":"c"}'), "X-v1, a = 0.5, b = c"),
        (game_title("X-v1 {broken"), "X-v1 {broken"),
        (slug("X-v1, a = 0.5 <b>/../c"), "X-v1-a=0.5-b-..-c"),
    ],
)
def test_numbers_and_names_are_written_for_readers(said: str, expected: str) -> None:
    assert said == expected


def test_learners_entered_twice_are_found_by_their_settings() -> None:
    entries = [
        {"name": "IPPO", "label": "", "env_steps": 10},
        {"name": "IPPO", "label": "again", "env_steps": 10},
        {"name": "IPPO", "label": "longer", "env_steps": 20},
        {"name": "IPPO", "label": "", "env_steps": 10, "objective": "team"},
    ]
    study = {"blocks": [{"learners": entries[:2]}, {"learners": entries}]}
    assert duplicates(study) == [("IPPO", "again")]
    assert duplicates({}) == []
