"""The part of the package that is written in Rust."""

import os
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[np.float64]

__version__: str

class ProblemError(ValueError):
    """A problem with mistakes: the message has all of them, each with place and remedy."""

    errors: list[dict[str, Any]]

class SolveError(RuntimeError):
    """The solver could not go on."""

class Problem:
    """A problem that was checked, of either family."""

    def __new__(
        cls,
        text: str,
        variant: Optional[str] = None,
        settings: list[tuple[str, str]] = ...,
        folder: Union[str, "os.PathLike[str]"] = ...,
    ) -> Problem: ...
    @property
    def source(self) -> str:
        """The problem file, every change applied."""
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def equation(self) -> str: ...
    @property
    def evolution(self) -> bool:
        """Whether it is stepped in time; else a network is trained for the whole domain."""
    @property
    def seed(self) -> int: ...

class Run:
    def __new__(
        cls,
        problem: Problem,
        backend: str = "auto",
        adapter: Optional[str] = None,
        cache: bool = True,
    ) -> Run: ...
    def advance(self, seconds: float) -> bool: ...
    def outcome(self) -> Outcome: ...
    def status(self) -> dict[str, Any]: ...
    def take_warnings(self) -> list[str]: ...

class Outcome:
    @property
    def problem(self) -> Problem: ...
    @property
    def coordinates(self) -> list[tuple[str, float, float]]: ...
    @property
    def unknowns(self) -> list[str]: ...
    @property
    def time_span(self) -> Optional[tuple[float, float]]: ...
    @property
    def error(self) -> Optional[float]: ...
    @property
    def estimated_error(self) -> Optional[float]: ...
    @property
    def warning(self) -> Optional[str]: ...
    @property
    def parameters(self) -> _Array: ...
    @property
    def kept_times(self) -> _Array: ...
    @property
    def field(
        self,
    ) -> tuple[_Array, list[tuple[str, _Array]], _Array, Optional[_Array]]: ...
    @property
    def history(self) -> dict[str, _Array]: ...
    @property
    def spectra(self) -> list[tuple[int, _Array]]: ...
    def summary(self) -> str: ...
    def ask(
        self, quantities: list[str], times: _Array, points: _Array
    ) -> tuple[list[_Array], Optional[float]]: ...
    def save(self, folder: os.PathLike[str], pictures: bool) -> None: ...

def load(folder: os.PathLike[str]) -> Outcome: ...
def presets() -> list[tuple[str, str, str]]: ...
def main(words: list[str], again: list[str]) -> int: ...
