"""Pictures of numbers, as PNG at twice their size on the screen, each with words for who sees none.

Drawn on a dark neutral ground of their own: the same picture is read in Slack's light and dark
mode. Matplotlib is used by its objects on an Agg canvas: no pyplot, no global state, so that
several pictures can be drawn at once. Drawing blocks; call `png` in a thread.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol, cast

from core.answers import Answer
from core.series import Point, Series, scale_of, told

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

_SHADES = 32
# Slack shows pictures about 480 points wide, in a thread less: few inches make large letters.
_WIDTH_INCHES, _HEIGHT_INCHES, _DPI = 4.8, 2.3, 200
_GROUND, _INK, _FAINT = "#22262e", "#e6e9ee", "#8b94a3"
# Told apart by people who see red and green alike, and against the ground.
_COLOURS = ("#6cb6ff", "#f5b84b", "#7ee0a3", "#e59ae0")
_ALARM = "#ff7b72"
_MOST_STRETCHES = 3


class Chart(Protocol):
    """A picture and its words."""

    @property
    def title(self) -> str:
        """What it is of."""
        ...

    @property
    def file_name(self) -> str:
        """With its ending."""
        ...

    def png(self, zone: tzinfo) -> bytes:
        """The picture, its times in this zone; at most 60 kB."""
        ...

    def alt_text(self, zone: tzinfo) -> str:
        """What one sees in it."""
        ...


@dataclass(frozen=True, slots=True)
class LineChart:
    """One or several series of one unit over the same time."""

    series: tuple[Series, ...]

    @property
    def title(self) -> str:
        """The names of what is drawn."""
        return ", ".join(each.name for each in self.series)

    @property
    def file_name(self) -> str:
        """Made of the first series' name."""
        return f"{_plain(self.series[0].name)}.png"

    def png(self, zone: tzinfo) -> bytes:
        """Lines; behind a single one its usual range, and where it left it."""
        figure, axes = _canvas()
        top = max((abs(p.value) for each in self.series for p in each.points), default=0.0)
        unit, divisor = scale_of(self.series[0].unit, top)
        for number, (series, colour) in enumerate(zip(self.series, _COLOURS, strict=False)):
            moments = [point.moment for point in series.points]
            values = [point.value / divisor for point in series.points]
            axes.plot(moments, values, color=colour, linewidth=1.4, label=series.name)  # type: ignore[arg-type]  # dates are converted
            if values:
                axes.plot(moments[-1:], values[-1:], "o", color=colour, markersize=3.5)  # type: ignore[arg-type]  # likewise
            if number == 0 and len(self.series) == 1:
                _draw_usual(axes, series, divisor)
        is_one = len(self.series) == 1
        axes.set_ylabel(unit, color=_FAINT, fontsize=7.5)
        _dress(axes, self.title if is_one else "", zone, self.series[0].points[0].moment)
        if not is_one:
            figure.legend(
                loc="outside upper left", fontsize=7.5, frameon=False, labelcolor=_INK, ncols=2
            )
        return _png(figure)

    def alt_text(self, zone: tzinfo) -> str:
        """Least, most and last of each series, and when it left its usual range."""
        return " ".join(_series_told(each, zone) for each in self.series)


@dataclass(frozen=True, slots=True)
class BarChart:
    """Counts over equal parts of time.

    Attributes:
        title: What is counted.
        buckets: Start of each part, aware, and its count; in order of time.
    """

    title: str
    buckets: tuple[tuple[datetime, int], ...]

    @property
    def file_name(self) -> str:
        """Made of the title."""
        return f"{_plain(self.title)}.png"

    def png(self, zone: tzinfo) -> bytes:
        """Bars, the highest one in the colour of an alarm."""
        figure, axes = _canvas()
        most = max((count for _, count in self.buckets), default=0)
        colours = [_ALARM if count == most and most else _COLOURS[0] for _, count in self.buckets]
        starts = [start for start, _ in self.buckets]
        counts = [count for _, count in self.buckets]
        axes.bar(starts, counts, width=self._width() * 0.86, align="edge", color=colours)  # type: ignore[arg-type]  # dates are converted
        axes.set_ylim(0, max(1, most) * 1.12)
        _dress(axes, self.title, zone, starts[0] if starts else None)
        axes.yaxis.set_major_locator(_whole_numbers())
        return _png(figure)

    def alt_text(self, zone: tzinfo) -> str:
        """How many in all, when most, and how many last."""
        if not self.buckets:
            return f"{self.title}: no data."
        total = sum(count for _, count in self.buckets)
        start, most = max(self.buckets, key=lambda bucket: bucket[1])
        first, last = self.buckets[0][0], self.buckets[-1][0]
        if not total:
            return f"{self.title}: none from {_clock(first, zone)} to {_clock(last, zone)}."
        return (
            f"{self.title}, from {_clock(first, zone)} to {_clock(last, zone)}: {total} in all, "
            f"most at {_clock(start, zone)} ({most}), {self.buckets[-1][1]} in the last part."
        )

    def _width(self) -> timedelta:
        starts = [start for start, _ in self.buckets]
        gaps = [later - earlier for earlier, later in pairwise(starts)]
        return min(gaps, default=timedelta(hours=1))


def errors_over_time(buckets: Sequence[tuple[datetime, int]]) -> BarChart:
    """Errors an hour, or whatever part of time the buckets have."""
    return BarChart("Errors over time", tuple(buckets))


def cited_series(answer: Answer) -> list[Series]:
    """The metrics that an answer cites and that have a course to show."""
    cited = {citation.title for citation in answer.citations}
    given = [each.series for each in answer.passages if each.title in cited]
    return [series for series in given if series is not None and len(series.points) > 1]


def charts_of(answer: Answer) -> list[Chart]:
    """A chart for each unit among the metrics that an answer cites; [] where it cites none."""
    by_unit: dict[str, list[Series]] = {}
    for series in cited_series(answer):
        by_unit.setdefault(series.unit, []).append(series)
    return [LineChart(tuple(same[: len(_COLOURS)])) for same in by_unit.values()]


def _series_told(series: Series, zone: tzinfo) -> str:
    if not series.points:
        return f"{series.name}: no data."
    first, last = series.points[0], series.points[-1]
    least = min(series.points, key=lambda point: point.value)
    most = max(series.points, key=lambda point: point.value)
    text = (
        f"Line chart of {series.name} from {_clock(first.moment, zone)} to "
        f"{_clock(last.moment, zone)}: lowest {_point(least, series, zone)}, "
        f"highest {_point(most, series, zone)}, last {told(last.value, series.unit)}."
    )
    if series.usual is None:
        return text
    low, high = (told(value, series.unit) for value in series.usual)
    if not series.outside:
        return f"{text} It stayed within its usual range of {low} to {high}."
    stretches = ", ".join(
        f"{_clock(each.start, zone)} to {_clock(each.end, zone)}"
        if each.start != each.end
        else f"at {_clock(each.start, zone)}"
        for each in series.outside[-_MOST_STRETCHES:]
    )
    left = len(series.outside) - _MOST_STRETCHES
    more = f" and {left} times before" if left > 0 else ""
    return f"{text} Outside its usual range of {low} to {high}: {stretches}{more}."


def _point(point: Point, series: Series, zone: tzinfo) -> str:
    return f"{told(point.value, series.unit)} at {_clock(point.moment, zone)}"


def _clock(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%d %b %H:%M %Z").strip()


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "chart"


def _canvas() -> tuple[Figure, Axes]:
    # Half a second to load, and only where a picture is wanted.
    from matplotlib.backends import backend_agg  # noqa: PLC0415
    from matplotlib.figure import Figure as NewFigure  # noqa: PLC0415

    figure = NewFigure((_WIDTH_INCHES, _HEIGHT_INCHES), dpi=_DPI, layout="constrained")
    backend_agg.FigureCanvasAgg(figure)
    figure.set_facecolor(_GROUND)
    axes = figure.add_subplot()
    axes.set_facecolor(_GROUND)
    return figure, axes


def _draw_usual(axes: Axes, series: Series, divisor: float) -> None:
    if series.usual is not None:
        low, high = (value / divisor for value in series.usual)
        # A range reaches below zero where the quantity cannot.
        floor = min((point.value / divisor for point in series.points), default=low)
        low = max(low, 0.0) if floor >= 0 else low
        axes.axhspan(low, high, color=_FAINT, alpha=0.16, linewidth=0)
    for stretch in series.outside:
        axes.axvspan(stretch.start, stretch.end, color=_ALARM, alpha=0.28, linewidth=1)  # type: ignore[arg-type]  # dates are converted


def _dress(axes: Axes, title: str, zone: tzinfo, start: datetime | None) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

    locator = AutoDateLocator(tz=zone, minticks=3, maxticks=7)  # type: ignore[no-untyped-call]  # matplotlib types only a part
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone, show_offset=False))  # type: ignore[no-untyped-call]  # likewise
    axes.tick_params(colors=_FAINT, labelsize=7.5, length=3)
    axes.grid(axis="y", color=_FAINT, alpha=0.25, linewidth=0.6)
    axes.margins(x=0.01)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_FAINT)
    # Names come from files: a dollar sign would start a formula.
    axes.set_title(title.replace("$", r"\$"), loc="left", color=_INK, fontsize=9)
    day = f"{start.astimezone(zone):%d %b %Y}, " if start else ""
    axes.set_xlabel(f"{day}{_zone_name(zone)}", loc="right", color=_FAINT, fontsize=7.5)


def _whole_numbers() -> MaxNLocator:
    from matplotlib.ticker import MaxNLocator as Whole  # noqa: PLC0415

    return Whole(nbins=5, integer=True)


def _zone_name(zone: tzinfo) -> str:
    return str(getattr(zone, "key", "") or zone).removeprefix("Etc/")


def _png(figure: Figure) -> bytes:
    """The picture in so few colours that it stays small; lines and letters need no more."""
    from PIL import Image  # noqa: PLC0415

    canvas = cast("FigureCanvasAgg", figure.canvas)
    canvas.draw()  # type: ignore[no-untyped-call]  # likewise
    size = canvas.get_width_height()
    pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]  # likewise
    picture = Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1)
    target = io.BytesIO()
    picture.convert("RGB").quantize(_SHADES, dither=Image.Dither.NONE).save(
        target, format="png", optimize=True
    )
    return target.getvalue()
