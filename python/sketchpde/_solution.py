"""Solutions: arrays on a grid, and answers anywhere."""

import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from . import _native
from ._native import Problem
from ._problem import described

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import xarray
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

    Array = npt.NDArray[np.float64]


class Solution:
    """The solution of a problem.

    Its arrays look into the memory of the solver and cannot be written to; ``numpy.array(solution.u)``
    is a copy that can. Called, it answers anywhere in the domain, see :meth:`__call__`.
    """

    def __init__(self, outcome: _native.Outcome) -> None:
        self._outcome = outcome

    # What it is of.

    @property
    def problem(self) -> Problem:
        """The problem that it solves."""
        return self._outcome.problem

    @property
    def unknowns(self) -> list[str]:
        """The names of the unknowns."""
        return self._outcome.unknowns

    @cached_property
    def coordinates(self) -> dict[str, tuple[float, float]]:
        """The coordinates of space with their ranges."""
        return {name: (lower, upper) for name, lower, upper in self._outcome.coordinates}

    @property
    def time_span(self) -> Optional[tuple[float, float]]:
        """From when to when; None of a problem without time."""
        return self._outcome.time_span

    # The run.

    @property
    def error(self) -> Optional[float]:
        """Relative L2 error over space and time; None where there is nothing to measure against."""
        return self._outcome.error

    @property
    def estimated_error(self) -> Optional[float]:
        """The same by the run's own estimate, with or without something to measure against."""
        return self._outcome.estimated_error

    @property
    def warning(self) -> Optional[str]:
        """What made the run less accurate than it could be, and what helps."""
        return self._outcome.warning

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The run in a few numbers, as in ``result.json``."""
        summary: dict[str, Any] = json.loads(self._outcome.summary())
        return summary

    @cached_property
    def history(self) -> "dict[str, Array]":
        """The run step by step: an array for each quantity, ``history["residual"]``."""
        return self._outcome.history

    @property
    def spectra(self) -> "list[tuple[int, Array]]":
        """Singular values of the Jacobian at some steps."""
        return self._outcome.spectra

    @property
    def parameters(self) -> "Array":
        """The parameters of the network, at the end of an evolution."""
        return self._outcome.parameters

    # The solution on a grid.

    @cached_property
    def _field(self) -> "tuple[Array, list[tuple[str, Array]], Array, Optional[Array]]":
        return self._outcome.field

    @property
    def t(self) -> "Array":
        """Times of :attr:`values`."""
        return self._field[0]

    @property
    def grid(self) -> "dict[str, Array]":
        """Points of :attr:`values` along each coordinate."""
        return dict(self._field[1])

    @property
    def values(self) -> "dict[str, Array]":
        """Every unknown on the grid: time first, then the coordinates in their order."""
        return {name: self._field[2][:, k] for k, name in enumerate(self.unknowns)}

    @property
    def references(self) -> "dict[str, Array]":
        """What the run was compared with, at the same places; empty where there is nothing."""
        reference = self._field[3]
        if reference is None:
            return {}
        return {name: reference[:, k] for k, name in enumerate(self.unknowns)}

    @property
    def u(self) -> "Array":
        """The unknown on the grid, of a system the first one: as in :attr:`values`."""
        return self.values[self.unknowns[0]]

    @property
    def reference(self) -> "Optional[Array]":
        """What :attr:`u` was compared with, at the same places."""
        return self.references.get(self.unknowns[0])

    # The solution anywhere.

    def __call__(
        self,
        *points: Any,
        derivatives: Union[None, str, Sequence[str]] = None,
        **named: Any,
    ) -> "Union[Array, dict[str, Array]]":
        """The unknown at points: ``solution(t, x)``, of a problem without time ``solution(x, y)``;
        of a system a dict of all unknowns.

        Arrays broadcast, so that ``solution(t[:, None], x[None, :])`` is a table. Coordinates may go
        by name, ``solution(x=x)``; without ``t`` it is the end. With ``derivatives``, texts such as
        ``"u_x"``, ``"u_xx"``, ``"u_t"`` or any expression of them (``"u*u_x"``), the answer is a dict
        of the unknowns and each of these.

        At the times at which parameters were kept (``kept_times``) the answers are the network's own;
        in between they are interpolated.
        """
        import numpy as np

        time, columns = self._arrange(points, named)
        arrays = [np.asarray(column, dtype=np.float64) for column in columns]
        everything = arrays if time is None else [np.asarray(time, dtype=np.float64), *arrays]
        shape = np.broadcast_shapes(*(array.shape for array in everything))
        flat = [np.broadcast_to(array, shape).reshape(-1) for array in arrays]
        places = np.ascontiguousarray(np.stack(flat, axis=-1)).reshape(-1)
        times = np.empty(0) if time is None else self._times(everything[0], shape)
        asked = [derivatives] if isinstance(derivatives, str) else list(derivatives or [])
        quantities = [*self.unknowns, *asked]
        values, _ = self._outcome.ask(quantities, times, places)
        if derivatives is None and len(quantities) == 1:
            return values[0].reshape(shape)
        return {text: value.reshape(shape) for text, value in zip(quantities, values)}

    def _times(self, time: "Array", shape: tuple[int, ...]) -> "Array":
        """One time for all points, or one for each."""
        import numpy as np

        if time.size == 1:
            return np.ascontiguousarray(time.reshape(1))
        return np.ascontiguousarray(np.broadcast_to(time, shape).reshape(-1))

    def _arrange(self, points: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, list[Any]]:
        """The time, if there is one, and the coordinates in their order."""
        timed = self.time_span is not None
        names = [*(["t"] if timed else []), *self.coordinates]
        if points and named:
            raise TypeError("give all coordinates by place or all by name")
        if points:
            if len(points) != len(names):
                raise TypeError(
                    f"{len(points)} coordinates were given, but a point of this solution has "
                    f"{len(names)}: ({', '.join(names)})"
                )
            named = dict(zip(names, points))
        time = named.pop("t", None) if timed else None
        unknown = [name for name in named if name not in self.coordinates]
        missing = [name for name in self.coordinates if name not in named]
        if unknown or missing:
            wrong = [f"there is no coordinate {name}" for name in unknown]
            wrong += [f"{name} is missing" for name in missing]
            raise TypeError(f"{', '.join(wrong)}: the coordinates are {', '.join(names)}")
        return time, [named[name] for name in self.coordinates]

    @property
    def kept_times(self) -> "Array":
        """Times at which the parameters of an evolution were kept, and nothing is interpolated."""
        return self._outcome.kept_times

    # Elsewhere.

    def save(self, folder: "Union[str, os.PathLike[str]]", *, plots: bool = True) -> Path:
        """Writes the run into a folder as the command line does, and says which."""
        path = Path(folder)
        self._outcome.save(path, plots)
        return path

    def to_xarray(self) -> "xarray.Dataset":
        """The grid as a Dataset: ``u`` and ``reference``, of a system each unknown and ``reference_u``
        and so on, their coordinates, the summary as attributes."""
        from ._figures import to_xarray

        return to_xarray(self)

    def plot(self) -> "Figure":
        """The solution, the reference and the error, by matplotlib."""
        from ._figures import plot

        return plot(self)

    def animate(
        self, *, unknown: Optional[str] = None, interval: int = 40, frames: int = 100
    ) -> "FuncAnimation":
        """The solution as it evolves, by matplotlib: at most so many frames, milliseconds apart.
        Of a system ``unknown``, or the first.

        ``animate().save("run.gif")`` writes it, ``HTML(animate().to_jshtml())`` shows it in a notebook.
        """
        from ._figures import animate

        chosen = self.unknowns[0] if unknown is None else unknown
        if chosen not in self.unknowns:
            raise ValueError(f"there is no unknown {chosen}: there are {', '.join(self.unknowns)}")
        return animate(self, chosen, interval=interval, frames=frames)

    def __repr__(self) -> str:
        error = "unknown" if self.error is None else f"{self.error:.1e}"
        return f"<Solution of {described(self.problem)}, shape {self.u.shape}, relative error {error}>"


def load(folder: "Union[str, os.PathLike[str]]") -> Solution:
    """Opens the folder of a run, whether the command line, the app or :meth:`Solution.save` wrote it."""
    return Solution(_native.load(Path(folder)))
