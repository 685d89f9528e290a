"""A bar while a run goes on: a line in a terminal, an element in a notebook."""

import html
import sys
import time
from types import TracebackType
from typing import Any, Callable, Optional, Union

#: Characters of the bar in a terminal.
_WIDTH = 20
#: Seconds before a bar shows: what is over by then needs none.
_PATIENCE = 0.5


class Progress:
    """Shows where a run stands, in the way that fits where it is looked at."""

    def __init__(
        self, wanted: Union[None, bool, Callable[[dict[str, Any]], None]], title: str
    ) -> None:
        self._title = title
        self._begun = time.monotonic()
        self._handle: Any = None
        self._shown = 0
        self._show: Callable[[dict[str, Any]], None]
        if callable(wanted):
            self._show, self._patience = wanted, 0.0
        elif wanted is False:
            self._show, self._patience = (lambda status: None), 0.0
        elif _in_notebook():
            self._show, self._patience = self._element, _PATIENCE
        elif wanted or (sys.stderr is not None and sys.stderr.isatty()):
            self._show, self._patience = self._line, _PATIENCE
        else:
            self._show, self._patience = (lambda status: None), 0.0

    def show(self, status: dict[str, Any]) -> None:
        """Shows a status, see :attr:`Run.status`."""
        if time.monotonic() - self._begun >= self._patience:
            self._show(status)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if self._shown:
            sys.stderr.write("\n")
            sys.stderr.flush()

    def _line(self, status: dict[str, Any]) -> None:
        filled = round(_WIDTH * (status.get("fraction") or 0.0))
        bar = "█" * filled + "░" * (_WIDTH - filled)
        text = f"{self._title} {bar} {describe(status)}"
        # What was longer before is covered.
        sys.stderr.write("\r" + text.ljust(self._shown))
        sys.stderr.flush()
        self._shown = len(text)

    def _element(self, status: dict[str, Any]) -> None:
        from IPython.display import HTML, display

        fraction = status.get("fraction") or 0.0
        element = HTML(
            f'{html.escape(self._title)} <progress value="{fraction:.4f}" max="1"></progress> '
            f"{html.escape(describe(status))}"
        )
        if self._handle is None:
            self._handle = display(element, display_id=True)
        else:
            self._handle.update(element)


def describe(status: dict[str, Any]) -> str:
    """A status in words."""
    parts = [status["activity"]]
    if status.get("time") is not None:
        parts.append(f"t = {status['time']:.4g} of {status['end']:.4g}")
    if status.get("iteration") is not None:
        of = f" of {status['iterations']}" if status.get("iterations") else ""
        parts.append(f"iteration {status['iteration']}{of}")
    if status.get("loss") is not None:
        parts.append(f"loss {status['loss']:.1e}")
    if status.get("error") is not None:
        parts.append(f"error {status['error']:.1e}")
    if status.get("seconds_left"):
        parts.append(f"{status['seconds_left']:.0f} s left")
    return ", ".join(parts)


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this."""
    interactive = sys.modules.get("IPython")
    if interactive is None:
        return False
    shell = interactive.get_ipython()
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"
