"""What can be given as a problem, and what is said of mistakes."""

import numpy as np
import pytest

import sketchpde


def test_an_equation_a_dict_a_file_and_a_name_state_the_same(tmp_path):
    called = sketchpde.problem(
        "u_t = nu*u_xx - u*u_x",
        domain={"x": (-1, 1)},
        initial="-sin(pi*x)",
        end=0.5,
        parameters={"nu": 0.1},
        seed=3,
    )
    contents = {
        "equation": {"text": "u_t = nu*u_xx - u*u_x"},
        "domain": {"x": {"range": np.array([-1, 1])}},
        "time": {"end": np.float64(0.5)},
        "parameters": {"nu": 0.1},
        "initial": {"u": "-sin(pi*x)"},
        "run": {"seed": 3},
    }
    assert sketchpde.problem(contents).source == called.source
    file = tmp_path / "mine.toml"
    file.write_text(called.source, encoding="utf-8")
    assert sketchpde.problem(file).equation == called.equation
    assert sketchpde.problem(str(file), seed=7).seed == 7
    assert sketchpde.problem("burgers").name == "burgers"
    assert sketchpde.problem(called).source == called.source
    assert set(sketchpde.presets()) > {"burgers", "poisson-2d"}


def test_mistakes_have_a_place_and_a_remedy():
    with pytest.raises(sketchpde.ProblemError) as caught:
        sketchpde.problem(
            "u_t = 0.1*u_yy", domain={"x": (0, 1)}, initial="sin(2*pi*x)", end=1,
            set={"method.colums": 3},
        )
    errors = caught.value.errors
    assert len(errors) == 2
    equation = next(error for error in errors if error["setting"] is None)
    assert equation["text"] == "u_yy" and equation["line"] == 4 and equation["column"] > 1
    setting = next(error for error in errors if error["setting"] is not None)
    assert "method.colums" in setting["setting"] and "columns" in setting["remedy"]
    assert "u_yy" in str(caught.value) and isinstance(caught.value, ValueError)


def test_callables_are_refused_with_the_reason():
    with pytest.raises(TypeError, match="Python function.*text instead"):
        sketchpde.solve(lambda u: u)
    with pytest.raises(TypeError, match="initial is a Python function"):
        sketchpde.solve("u_t = u_xx", domain={"x": (0, 1)}, initial=np.sin, end=1)


def test_what_does_not_go_together_is_said():
    with pytest.raises(TypeError, match='end: these go with an equation.*"time.end"'):
        sketchpde.problem("burgers", end=2)
    with pytest.raises(ValueError, match="neither an equation.*burgers"):
        sketchpde.problem("burger")
    with pytest.raises(FileNotFoundError, match="nowhere.toml"):
        sketchpde.problem("nowhere.toml")
    with pytest.raises(ValueError, match='backend is "tpu"'):
        sketchpde.Run("burgers", backend="tpu")


def test_files_of_numbers_are_those_beside_the_problem(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        "format = 1\n[equation]\ntext = 'u_t = k(x)*u_xx'\n[domain]\nx = { range = [0, 1] }\n"
        "[tables.k]\nfile = 'k.csv'\n[time]\nend = 1\n[initial]\nu = 'sin(2*pi*x)'\n",
        encoding="utf-8",
    )
    with pytest.raises(sketchpde.ProblemError, match="k.csv cannot be read"):
        sketchpde.problem(file)
    (tmp_path / "k.csv").write_text("x,k\n0,1\n1,2\n", encoding="utf-8")
    problem = sketchpde.problem(file)
    (tmp_path / "k.csv").unlink()
    assert "values = [1.0, 2.0]" in problem.source
    array = {"axes": {"x": [0, 1]}, "values": np.array([1.0, 2.0])}
    assert sketchpde.problem(problem, set={"tables.k": array}).name == problem.name
