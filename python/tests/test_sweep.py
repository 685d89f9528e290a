"""Sweeps: all combinations, every core, nothing twice."""

import numpy as np
import pytest
from conftest import HEAT

import sketchpde

CALL = {key: value for key, value in HEAT.items() if key != "backend"}


def test_a_sweep_goes_over_values_and_seeds_and_does_nothing_twice(tmp_path):
    over = {"kappa": [0.02, np.float64(0.05)]}
    first = sketchpde.sweep(**CALL, over=over, seeds=2, out=tmp_path / "sweep")
    assert [run.state for run in first] == ["done"] * 4
    assert first.column("kappa").tolist() == [0.02, 0.02, 0.05, 0.05]
    assert first.column("seed").tolist() == [0, 1, 0, 1]
    assert np.all(first.column("error") < 1e-3)
    solution = first[2].solution
    truth = np.exp(-0.05 * (2 * np.pi) ** 2 * 0.1)
    assert solution(0.1, 0.25) == pytest.approx(truth, abs=1e-3)
    before = (first[0].folder / "result.json").stat().st_mtime_ns
    again = sketchpde.sweep(**CALL, over=over, seeds=2, out=tmp_path / "sweep")
    assert (again[0].folder / "result.json").stat().st_mtime_ns == before
    assert (tmp_path / "sweep" / "sweep.csv").read_text().startswith("kappa,seed,state,relative_l2")


def test_a_run_that_fails_does_not_stop_the_rest():
    sweep = sketchpde.sweep(**CALL, over={"fit.accept": [1e-15, 1e-2]}, jobs=1)
    assert [run.state for run in sweep] == ["failed", "done"]
    assert "fit" in sweep[0].message


def test_mistakes_are_told_before_anything_runs():
    with pytest.raises(ValueError, match="no comma"):
        sketchpde.sweep(**CALL, over={"initial.u": ["min(x, 1)"]})
    with pytest.raises(sketchpde.SolveError, match="kapa"):
        sketchpde.sweep(**CALL, over={"kapa": [1]})
