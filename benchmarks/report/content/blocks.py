"""What a report is made of. Sections fill these records; the template sets them, and figures are also written as files.

Texts are plain: the template escapes them, so that no name in a corpus can do harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import ClassVar, Literal, TypeAlias

from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.plots.maps import Matrix, matrix_figure
from coopgym.benchmarks.drawing.series_style import SeriesStyle


@dataclass(frozen=True)
class Chart:
    """A figure, drawn when it is needed."""

    type: ClassVar[str] = "chart"
    name: str
    """Its file, without an ending; unlike that of any other figure."""
    label: str
    """What a screen reader says; unlike that of any other figure."""
    draw: Callable[[], Figure]
    caption: str = ""
    """How to read it, with the number of runs and the kind of interval."""


@dataclass(frozen=True)
class Drawn:
    """A figure that was kept as inline SVG."""

    type: ClassVar[str] = "drawn"
    svg: str


@dataclass(frozen=True)
class Gallery:
    """Figures side by side that are read alike."""

    type: ClassVar[str] = "gallery"
    figures: Sequence[Chart | Drawn]
    caption: str = ""
    columns: int = 0
    """Of small figures that belong together row by row; 0: as many figures beside each other as there is room for."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table."""

    text: str
    order: float | None = None
    """What a column is sorted by; None for the text."""
    heat: float | None = None
    """Shade from -1 to 1: how full its colour is, and which of two."""
    note: str = ""
    """Small print behind the text."""
    style: SeriesStyle | None = None
    """Mark before the text."""


@dataclass(frozen=True)
class Column:
    """Head of a column."""

    name: str
    meaning: str = ""
    """Shown when pointed at."""
    group: str = ""
    """Heading above it and its neighbours of the same group."""


@dataclass(frozen=True)
class Table:
    """Rows whose first cell names them."""

    type: ClassVar[str] = "table"
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    shaded: bool = False
    """Whether shades are the point of it."""
    references: frozenset[int] = frozenset()
    """Rows that are only there to be compared with."""

    @property
    def wordy(self) -> list[bool]:
        """For each column whether it holds words, which are read from the left, rather than numbers."""
        return [not any(map(_is_number, column)) for column in zip(*self.rows, strict=True)]

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Headings above the columns and how many each spans; none where there are none."""
        found = _spans(column.group for column in self.columns)
        return found if any(group for group, _ in found) else []


@dataclass(frozen=True)
class Heatmap:
    """A matrix of numbers: a shaded table on the page, which scrolls and can be read out, and a figure in a file."""

    type: ClassVar[str] = "heatmap"
    name: str
    label: str
    matrix: Matrix
    rows_are: str
    columns_are: str
    caption: str = ""
    column_groups: Sequence[str] = ()
    """Headings above columns, on the page; one for each column, and neighbours share theirs."""

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Headings above the columns and how many each spans."""
        return _spans(self.column_groups)

    @property
    def chart(self) -> Chart:
        """The same as a figure."""
        draw = partial(matrix_figure, self.matrix, self.columns_are, self.rows_are)
        return Chart(self.name, self.label, draw, self.caption)


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    type: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    type: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Facts:
    """Names with short values."""

    type: ClassVar[str] = "facts"
    values: Mapping[str, str]


@dataclass(frozen=True)
class Code:
    """Preformatted text."""

    type: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Swatch:
    """A piece of line in a legend."""

    variable: str
    """Name of the page's colour."""
    style: Literal["solid", "dashed", "dotted"] = "solid"


@dataclass(frozen=True)
class LineLegend:
    """What lines mean, by name."""

    type: ClassVar[str] = "lines"
    swatches: Mapping[str, Swatch]


@dataclass(frozen=True)
class SeriesLegend:
    """The styles of algorithms: their marks, or their lines."""

    type: ClassVar[str] = "styles"
    styles: Mapping[str, SeriesStyle]
    with_lines: bool = False


@dataclass(frozen=True)
class Beside:
    """Two blocks side by side where there is room."""

    type: ClassVar[str] = "beside"
    left: Chart | Table
    right: Chart | Table


@dataclass(frozen=True)
class Message:
    """What was said by one party of a dialogue."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    tool: str = ""
    """Tools that are called or answer."""
    legal: bool | None = None
    """Whether a model's message could be read and carried out; None for other roles."""
    note: str = ""
    """Small print behind the speaker."""


@dataclass(frozen=True)
class Decision:
    """The dialogue in which a level is chosen."""

    title: str
    note: str
    messages: Sequence[Message]


@dataclass(frozen=True)
class EmbeddedTranscript:
    """Decisions of one seat in one episode of one run."""

    run: str
    episode: str
    seat: str
    decisions: Sequence[Decision]


@dataclass(frozen=True)
class Transcripts:
    """Conversations of which one is shown at a time."""

    type: ClassVar[str] = "transcripts"
    transcripts: Sequence[EmbeddedTranscript]


@dataclass(frozen=True)
class Fold:
    """Blocks behind a line that opens them."""

    type: ClassVar[str] = "fold"
    title: str
    blocks: Sequence[Block]
    note: str = ""
    open: bool = False


Block: TypeAlias = (
    "Chart | Gallery | Table | Heatmap | Text | Heading | Facts | Code | LineLegend | SeriesLegend | Beside "
    "| Transcripts | Fold"
)


@dataclass(frozen=True)
class Section:
    """A part of the page with an entry in its contents."""

    id: str
    title: str
    how: str
    """What it shows and how to read it, in a few sentences."""
    blocks: Sequence[Block]
    finding: str = ""
    """The one sentence to remember; several stand on a line each."""


def charts(blocks: Iterable[Block]) -> Iterator[Chart]:
    """Yield all figures among some blocks, in their order."""
    for block in blocks:
        match block:
            case Chart():
                yield block
            case Heatmap():
                yield block.chart
            case Gallery():
                yield from (each for each in block.figures if isinstance(each, Chart))
            case Beside():
                yield from charts([block.left, block.right])
            case Fold():
                yield from charts(block.blocks)


def _spans(groups: Iterable[str]) -> list[tuple[str, int]]:
    return [(group, len(list(members))) for group, members in groupby(groups)]


def _is_number(cell: Cell) -> bool:
    return cell.text.lstrip("−<( ")[:1].isdigit()
