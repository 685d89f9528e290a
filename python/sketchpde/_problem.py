"""From what a person gives to a problem: an equation, a name, a file, a dict."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional, Union

from . import _native
from ._native import Problem

#: An equation, the name of a built-in problem, the path of a problem file, its contents as a dict,
#: or a problem that was made before.
ProblemLike = Union[str, "os.PathLike[str]", Mapping[str, Any], Problem]

#: The name of problems that give themselves none.
_UNNAMED = "untitled"

_NO_CALLABLES = (
    "{what} is a Python function, which the solver cannot take: it differentiates its formulas, "
    "compiles them for the GPU and evaluates them on all cores without the interpreter. Write it as "
    'text instead, for example "u_t = nu*u_xx - u*u_x" or initial="exp(-50*(x - 0.5)^2)".'
)


def problem(
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
) -> Problem:
    """Puts a problem together and checks it; every argument is that of :func:`solve`.

    Raises :class:`ProblemError` with every mistake, its place and its remedy.
    """
    folder = Path()
    if isinstance(equation, Problem):
        text = equation.source
    elif callable(equation):
        raise TypeError(_NO_CALLABLES.format(what="the problem"))
    elif isinstance(equation, Mapping):
        text = _toml({"format": 1, **equation})
    elif isinstance(equation, str) and "=" in equation:
        text = _toml(
            _of_equation(
                equation,
                domain=domain,
                initial=initial,
                start=start,
                end=end,
                parameters=parameters,
                conditions=conditions,
                exact=exact,
                name=name,
            )
        )
        domain = initial = start = end = parameters = conditions = exact = name = None
    else:
        text, folder = _read(equation)
    given = {
        "domain": domain,
        "initial": initial,
        "start": start,
        "end": end,
        "parameters": parameters,
        "conditions": conditions,
        "exact": exact,
        "name": name,
    }
    extra = [key for key, value in given.items() if value is not None]
    if extra:
        raise TypeError(
            f"{', '.join(extra)}: these go with an equation; change a problem that states them "
            'itself with set={"time.end": 2}'
        )
    settings = [(key, _value(key, value)) for key, value in (set or {}).items()]
    if seed is not None:
        settings.append(("run.seed", _value("seed", seed)))
    return Problem(text, variant, settings, folder)


def presets() -> dict[str, str]:
    """The built-in problems: their names, and what they are."""
    return {name: title for name, title, _ in _native.presets()}


def described(problem: Problem) -> str:
    """Its name, or where it has none its equation."""
    return problem.equation if problem.name == _UNNAMED else problem.name


def _of_equation(
    equation: str,
    *,
    domain: Optional[Mapping[str, Any]],
    initial: Optional[str],
    start: Optional[float],
    end: Optional[float],
    parameters: Optional[Mapping[str, Any]],
    conditions: Optional[Mapping[str, str]],
    exact: Optional[str],
    name: Optional[str],
) -> dict[str, Any]:
    """A problem file's contents: an evolution, or with conditions a problem over a whole domain."""
    contents: dict[str, Any] = {"format": 1}
    if name is not None:
        contents["name"] = name
    if conditions is None:
        contents["equation"] = {"text": equation}
    else:
        contents["residual"] = {"interior": {"equation": equation}}
        for number, (place, condition) in enumerate(conditions.items(), 1):
            contents["residual"][f"condition{number}"] = {"on": place, "equation": condition}
    if domain is not None:
        contents["domain"] = {
            coordinate: dict(side) if isinstance(side, Mapping) else {"range": side}
            for coordinate, side in domain.items()
        }
    time = {"start": start, "end": end}
    time = {key: value for key, value in time.items() if value is not None}
    if time:
        contents["time"] = time
    if parameters is not None:
        contents["parameters"] = parameters
    for key, formula in (("initial", initial), ("exact", exact)):
        if callable(formula):
            raise TypeError(_NO_CALLABLES.format(what=key))
        if formula is not None:
            contents[key] = {"u": formula}
    return contents


def _read(name: Union[str, "os.PathLike[str]"]) -> tuple[str, Path]:
    """The text of a built-in problem, or of a file, and the folder of the files that it names."""
    texts = {name: text for name, _, text in _native.presets()}
    if isinstance(name, str) and name in texts:
        return texts[name], Path()
    path = Path(name)
    if path.exists():
        return path.read_text(encoding="utf-8"), path.parent
    if path.suffix == ".toml" or path.name != str(name):
        raise FileNotFoundError(f"there is no problem file {path}")
    raise ValueError(
        f"{name!r} is neither an equation (it has no =) nor a file nor one of the built-in "
        f"problems {', '.join(texts)}"
    )


def _toml(contents: Mapping[str, Any]) -> str:
    """A problem file: single keys, then a section for each dict, with a line for each of its keys."""
    single = {key: value for key, value in contents.items() if not isinstance(value, Mapping)}
    lines = [f"{_key(key)} = {_value(key, value)}" for key, value in single.items()]
    for name, section in contents.items():
        if isinstance(section, Mapping):
            lines += ["", f"[{_key(name)}]"]
            lines += [f"{_key(k)} = {_value(f'{name}.{k}', v)}" for k, v in section.items()]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    """A key as TOML has it; what is no plain word goes in quotes."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _value(key: str, value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # TOML's basic strings have the escapes of JSON.
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(k)} = {_value(f'{key}.{k}', v)}" for k, v in value.items())
        return f"{{ {inner} }}"
    if callable(value):
        raise TypeError(_NO_CALLABLES.format(what=key))
    if hasattr(value, "tolist"):
        # Arrays and numbers of NumPy.
        return _value(key, value.tolist())
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(key, each) for each in value)}]"
    if isinstance(value, (int, float)):
        return repr(value)
    raise TypeError(f"{key} is {value!r}: give a number, text, a list or a dict")
