"""Sweeps: one problem over values of its settings and over seeds, on all cores."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from ._native import SolveError
from ._problem import ProblemLike, problem
from ._solution import Solution, load

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class SweepRun:
    """One run of a sweep."""

    settings: dict[str, Union[float, str]]
    seed: int
    #: ``done``, ``diverged``, ``failed`` or ``open``.
    state: str
    #: Relative L2 error; None where there is nothing to measure against.
    error: Optional[float]
    seconds: Optional[float]
    #: Why it diverged or failed.
    message: Optional[str]
    folder: Path

    @property
    def solution(self) -> Solution:
        """What the run left."""
        return load(self.folder)


class Sweep:
    """The runs of a sweep, in the order of their settings, the seeds of each together."""

    def __init__(
        self, report: dict[str, Any], folder: "Union[Path, tempfile.TemporaryDirectory[str]]"
    ) -> None:
        # A temporary folder stays for as long as this.
        self._folder = folder
        self.over: list[str] = report["over"]
        self.runs = [
            SweepRun(
                settings={name: _number(row["settings"][name]) for name in self.over},
                seed=row["seed"],
                state=row["state"],
                error=row["relative_l2"],
                seconds=row["seconds"],
                message=row["message"],
                folder=Path(row["folder"]),
            )
            for row in report["runs"]
        ]

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[SweepRun]:
        return iter(self.runs)

    def __getitem__(self, index: int) -> SweepRun:
        return self.runs[index]

    def column(self, name: str) -> "npt.NDArray[np.float64]":
        """A number of each run: a setting, ``seed``, ``error`` or ``seconds``; NaN where unknown."""
        import numpy as np

        def value(run: SweepRun) -> float:
            found = run.settings[name] if name in run.settings else getattr(run, name)
            return float("nan") if found is None else float(found)

        return np.array([value(run) for run in self.runs])

    def __repr__(self) -> str:
        done = sum(run.state == "done" for run in self.runs)
        return f"<Sweep over {', '.join(self.over) or 'seeds'}: {done} of {len(self.runs)} runs done>"


def sweep(
    equation: ProblemLike,
    over: Optional[Mapping[str, Iterable[Any]]] = None,
    *,
    seeds: int = 1,
    jobs: Optional[int] = None,
    backend: str = "cpu",
    out: "Union[None, str, os.PathLike[str]]" = None,
    progress: Optional[bool] = None,
    **settings: Any,
) -> Sweep:
    """Solves a problem over values of its settings and over seeds, one run a core.

    ``over`` has the values of parameters by their names, ``{"nu": [0.1, 0.2]}``, or of any setting by
    its dotted key, ``{"method.columns": [100, 200]}``; several are combined. Every run is a process of
    its own (``sketchpde sweep``) with a folder in ``out``, a temporary one unless it is named; with a
    named one, runs that it holds already are not repeated. The other arguments are those of
    :func:`solve`. A run that fails or diverges does not stop the rest, see :attr:`SweepRun.state`.
    """
    stated = problem(equation, **settings)
    temporary = tempfile.TemporaryDirectory(prefix="sketchpde-") if out is None else None
    folder = Path(temporary.name if temporary else os.fspath(out or "")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "problem.toml"
    file.write_text(stated.source, encoding="utf-8")
    words = [sys.executable, "-m", "sketchpde", "sweep", str(file), "--json", "--out", str(folder)]
    words += ["--backend", backend, "--seeds", str(seeds)]
    words += ["--jobs", str(jobs)] if jobs else []
    for key, values in (over or {}).items():
        words += ["--over", f"{key}={','.join(_text(key, value) for value in values)}"]
    shown = progress if progress is not None else sys.stderr is not None and sys.stderr.isatty()
    said, complaints = _run(words if shown else [*words, "--quiet"], shown)
    if not said.strip():
        raise SolveError(complaints.strip() or "the sweep ended without a result")
    return Sweep(json.loads(said), temporary or folder)


def _run(words: list[str], shown: bool) -> tuple[str, str]:
    """The program's output and its complaints; it ends with us."""
    home = str(Path(__file__).parent.parent)
    path = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    child = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if shown else subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    try:
        said, complaints = child.communicate()
    except BaseException:
        # In a terminal it has been told already; a notebook tells its kernel alone.
        child.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
        child.wait()
        raise
    return said, complaints or ""


def _text(key: str, value: Any) -> str:
    """A value as the command line takes it."""
    if hasattr(value, "item"):
        value = value.item()
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not text or "," in text or ":" in text:
        raise ValueError(f"{key} cannot be {value!r} in a sweep: values hold no comma and no colon")
    return text


def _number(text: str) -> Union[float, str]:
    try:
        return float(text)
    except ValueError:
        return text
