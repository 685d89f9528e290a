"""Solve partial differential equations with neural networks and randomized methods.

>>> import sketchpde
>>> solution = sketchpde.solve(
...     "u_t = 0.02*u_xx - u*u_x", domain={"x": (0, 1)}, initial="sin(2*pi*x)", end=0.2
... )                                                                                 # doctest: +SKIP
>>> solution(0.1, [0.25, 0.5], derivatives=["u_x"])                                   # doctest: +SKIP

`solve` takes an equation, the name of a built-in problem, a problem file or a dict; `load` opens the
folder of a run; `sweep` solves over parameters and seeds on all cores.
"""

from ._native import Problem, ProblemError, SolveError, __version__
from ._problem import presets, problem
from ._run import Run, solve
from ._solution import Solution, load
from ._sweep import Sweep, SweepRun, sweep

__all__ = [
    "Problem",
    "ProblemError",
    "Run",
    "Solution",
    "SolveError",
    "Sweep",
    "SweepRun",
    "__version__",
    "load",
    "presets",
    "problem",
    "solve",
    "sweep",
]
