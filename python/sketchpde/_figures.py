"""What solutions look like, by libraries that are not needed to solve."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

    from ._solution import Solution


def to_xarray(solution: "Solution") -> "xarray.Dataset":
    """See :meth:`Solution.to_xarray`."""
    xarray = _needed("xarray", "to_xarray() gives an xarray.Dataset")
    timed = solution.time_span is not None
    grid = solution.grid
    names = [*(["t"] if timed else []), *grid]
    coordinates = {**({"t": solution.t} if timed else {}), **grid}
    single = len(solution.unknowns) == 1
    references = {
        "reference" if single else f"reference_{name}": array
        for name, array in solution.references.items()
    }
    variables = {
        name: (names, array if timed else array[0])
        for name, array in {**solution.values, **references}.items()
    }
    simple = {k: v for k, v in solution.summary.items() if isinstance(v, (str, int, float))}
    return xarray.Dataset(variables, coordinates, attrs=simple)


def plot(solution: "Solution") -> "Figure":
    """See :meth:`Solution.plot`."""
    _needed("matplotlib", "plot() draws with matplotlib")
    from matplotlib.figure import Figure

    names, rows = _views(solution)
    across = len(rows[0])
    figure = Figure(figsize=(4.2 * across, 3.6 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), across, squeeze=False)
    for place, views in zip(grid, rows):
        for axes, (title, values) in zip(place, views):
            _draw(axes, solution, names, values)
            axes.set_title(title)
    return figure


def animate(solution: "Solution", unknown: str, *, interval: int, frames: int) -> "FuncAnimation":
    """See :meth:`Solution.animate`."""
    _needed("matplotlib", "animate() draws with matplotlib")
    from matplotlib import pyplot
    from matplotlib.animation import FuncAnimation

    if len(solution.t) < 2:
        raise ValueError("there is one time only: nothing moves; use plot()")
    dimensions = len(solution.grid)
    if dimensions not in (1, 2):
        raise ValueError(f"animate() shows one or two coordinates, not {dimensions}: use values")
    chosen = np.unique(np.linspace(0, len(solution.t) - 1, frames).round().astype(int))
    figure, axes = pyplot.subplots(layout="constrained")
    names, (first, second) = list(solution.grid), (*solution.grid.values(), None)[:2]
    values = solution.values[unknown]
    low, high = _range(values)
    drawn: Any
    if dimensions == 1:
        reference = solution.references.get(unknown)
        if reference is not None:
            (dashed,) = axes.plot(first, reference[0], "--", color="black", lw=1, zorder=3, label="reference")
        (drawn,) = axes.plot(first, values[0], lw=2.5, label="network")
        margin = 0.05 * (high - low)
        axes.set(xlabel=names[0], ylabel=unknown, ylim=(low - margin, high + margin))
        axes.legend(loc="upper right")
    else:
        drawn = axes.pcolormesh(first, second, values[0].T, vmin=low, vmax=high)
        axes.set(xlabel=names[0], ylabel=names[1], aspect="equal")
        figure.colorbar(drawn, label=unknown)

    def show(index: int) -> list[Any]:
        if dimensions == 1:
            drawn.set_ydata(values[index])
            if reference is not None:
                dashed.set_ydata(reference[index])
        else:
            drawn.set_array(values[index].T)
        axes.set_title(f"t = {solution.t[index]:.3g}")
        return [drawn]

    animation = FuncAnimation(figure, show, frames=chosen.tolist(), interval=interval)
    # A notebook would show the still figure besides.
    pyplot.close(figure)
    return animation


def _views(solution: "Solution") -> "tuple[list[str], list[list[tuple[str, Any]]]]":
    """The axes of a picture, and what to show of each unknown: network, reference, error."""
    timed = len(solution.t) > 1
    names = list(solution.grid)
    if len(names) == 1 and timed:
        names = ["t", *names]
        last: Any = lambda values: values  # noqa: E731
    else:
        last = lambda values: values[-1]  # noqa: E731
    if len(names) not in (1, 2) or not names:
        raise ValueError(f"plot() shows one or two coordinates, not {len(solution.grid)}: use values")
    rows = []
    for unknown, values in solution.values.items():
        views = [(unknown, last(values))]
        reference = solution.references.get(unknown)
        if reference is not None:
            views.append(("reference", last(reference)))
            views.append(("error", np.abs(last(values) - last(reference))))
        rows.append(views)
    return names, rows


def _draw(axes: Any, solution: "Solution", names: list[str], values: Any) -> None:
    places = {"t": solution.t, **solution.grid}
    axes.set_xlabel(names[0])
    if len(names) == 1:
        axes.plot(places[names[0]], values)
        return
    picture = axes.pcolormesh(places[names[0]], places[names[1]], values.T)
    axes.set_ylabel(names[1])
    axes.figure.colorbar(picture, ax=axes)


def _range(values: Any) -> tuple[float, float]:
    low, high = float(np.min(values)), float(np.max(values))
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _needed(name: str, why: str) -> Any:
    """A library that only some need."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"{why}, which is not installed: pip install {name}") from error
