"""Solving: in one call, or a slice of time after the other."""

import warnings
from collections.abc import Mapping
from typing import Any, Callable, Optional, Union

from . import _native
from ._problem import ProblemLike, described, problem
from ._progress import Progress
from ._solution import Solution

#: Seconds between two looks at a run under way.
_SLICE = 0.1


class Run:
    """A run that goes on when it is asked to, for as long as it is asked to.

    >>> run = sketchpde.Run("burgers")                                    # doctest: +SKIP
    >>> while run.advance(1.0):                                           # doctest: +SKIP
    ...     print(run.status["time"], run.solution(0.25))
    """

    def __init__(
        self,
        equation: ProblemLike,
        *,
        backend: str = "auto",
        adapter: Optional[str] = None,
        cache: bool = True,
        **settings: Any,
    ) -> None:
        self.problem = problem(equation, **settings)
        self._run = _native.Run(self.problem, backend, adapter, cache)

    def advance(self, seconds: float = 1.0) -> bool:
        """Goes on for about so many seconds; whether there is more to do.

        Other threads run meanwhile. Ctrl-C raises KeyboardInterrupt at once; the step in progress
        ends in the background, and another call goes on from there.
        """
        more = self._run.advance(seconds)
        for warning in self._run.take_warnings():
            warnings.warn(warning, stacklevel=2)
        return more

    @property
    def status(self) -> dict[str, Any]:
        """Where the run stands: ``activity``, ``fraction``, ``time``, ``error`` and more."""
        return self._run.status()

    @property
    def solution(self) -> Solution:
        """The solution so far; an evolution has one after its first step."""
        return Solution(self._run.outcome())


def solve(
    equation: ProblemLike,
    *,
    domain: Optional[Mapping[str, Any]] = None,
    initial: Optional[str] = None,
    end: Optional[float] = None,
    start: Optional[float] = None,
    parameters: Optional[Mapping[str, Any]] = None,
    conditions: Optional[Mapping[str, str]] = None,
    exact: Optional[str] = None,
    name: Optional[str] = None,
    set: Optional[Mapping[str, Any]] = None,  # noqa: A002: as on the command line
    variant: Optional[str] = None,
    seed: Optional[int] = None,
    backend: str = "auto",
    adapter: Optional[str] = None,
    cache: bool = True,
    progress: Union[None, bool, Callable[[dict[str, Any]], None]] = None,
) -> Solution:
    """Solves a partial differential equation.

    Parameters
    ----------
    equation
        ``"u_t = 0.1*u_xx"`` with ``domain``, ``initial`` and ``end``; or the name of a built-in
        problem (:func:`presets`), the path of a problem file, the contents of one as a dict.
    domain
        Coordinates with their ranges, ``{"x": (0, 1)}``: periodic, unless a dict says otherwise,
        ``{"x": {"range": (0, 1), "boundary": "dirichlet", "lower": "0", "upper": "0"}}``.
    initial
        The state at the start, as a formula.
    end, start
        The time from ``start`` (0) to ``end``.
    parameters
        Named numbers of the formulas.
    conditions
        Makes it a problem over a whole domain, for which a network is trained: where each holds,
        and what, ``{"boundary": "u = 0"}`` or ``{"t = 0": "u = sin(pi*x)"}``.
    exact
        The exact solution, to measure the error with; many problems have a reference without it.
    set
        Any setting of a problem file by its dotted key, ``{"method.columns": 200}``.
    variant, seed
        A named set of changes that a problem file carries; the seed of every random draw.
    backend, adapter
        ``"auto"`` (a hardware GPU if there is one, else the CPU), ``"cpu"`` or ``"gpu"``; the GPU
        whose name contains ``adapter``.
    cache
        Whether initial fits and references are kept between runs, as the command line does.
    progress
        True or False, or a function that is called with :attr:`Run.status` about ten times a
        second; without it a bar shows in terminals and notebooks.

    Returns
    -------
    Solution
        Values on a grid as arrays; called, it answers anywhere.

    Raises
    ------
    ProblemError
        With every mistake in the problem, its place and its remedy.
    SolveError
        When the solver cannot go on.
    """
    run = Run(
        equation,
        domain=domain,
        initial=initial,
        end=end,
        start=start,
        parameters=parameters,
        conditions=conditions,
        exact=exact,
        name=name,
        set=set,
        variant=variant,
        seed=seed,
        backend=backend,
        adapter=adapter,
        cache=cache,
    )
    with Progress(progress, described(run.problem)) as bar:
        while run.advance(_SLICE):
            bar.show(run.status)
        bar.show(run.status)
    solution = run.solution
    if solution.warning:
        warnings.warn(solution.warning, stacklevel=2)
    return solution
