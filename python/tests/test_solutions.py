"""Answers against exact solutions, in every way in which they can be asked for."""

import numpy as np
import pytest

import sketchpde


def exact(t, x):
    return np.exp(-0.05 * (2 * np.pi) ** 2 * t) * np.sin(2 * np.pi * x)


def test_the_grid_holds_the_solution_and_its_reference(heat):
    assert heat.u.shape == (heat.t.size, heat.grid["x"].size)
    truth = exact(heat.t[:, None], heat.grid["x"][None, :])
    distance = np.linalg.norm(heat.u - truth) / np.linalg.norm(truth)
    assert distance < 1e-3
    # What the run says of itself weighs the times in another way.
    assert heat.error == pytest.approx(distance, rel=0.5)
    assert np.abs(heat.reference - truth).max() < 1e-9
    assert heat.t[-1] == 0.1
    assert "u_t = kappa*u_xx" in repr(heat)


def test_points_broadcast_and_derivatives_come_beside(heat):
    t, x = np.array([0.02, 0.05, 0.1]), np.linspace(0, 1, 7)
    answer = heat(t[:, None], x[None, :], derivatives=["u_x", "u_t", "u*u_x"])
    assert list(answer) == ["u", "u_x", "u_t", "u*u_x"]
    assert answer["u"].shape == (3, 7)
    assert np.abs(answer["u"] - exact(t[:, None], x)).max() < 1e-3
    slope = 2 * np.pi * np.exp(-0.05 * (2 * np.pi) ** 2 * t)[:, None] * np.cos(2 * np.pi * x)
    assert np.abs(answer["u_x"] - slope).max() < 1e-2
    rate = -0.05 * (2 * np.pi) ** 2 * exact(t[:, None], x)
    assert np.abs(answer["u_t"] - rate).max() < 5e-2
    assert np.allclose(answer["u*u_x"], answer["u"] * answer["u_x"], rtol=0, atol=1e-6)
    # One number, and by name, at the end where no time is given.
    assert heat(0.1, 0.25).shape == ()
    assert heat(x=0.25) == heat(0.1, 0.25)
    assert heat(x=0.25, t=0.05) == heat(0.05, 0.25)


def test_what_cannot_be_asked_says_why(heat):
    with pytest.raises(ValueError, match="no solution at t = 3"):
        heat(3.0, 0.5)
    with pytest.raises(TypeError, match=r"2 coordinates.*3|3 coordinates.*\(t, x\)"):
        heat(0.1, 0.5, 0.5)
    with pytest.raises(TypeError, match="there is no coordinate y, x is missing"):
        heat(y=0.5)
    with pytest.raises(ValueError, match="u_z"):
        heat(0.1, 0.5, derivatives="u_z")


def test_arrays_look_into_the_solver_and_outlive_it():
    solution = sketchpde.solve(
        "u_t = -u_x",
        domain={"x": (0, 1)},
        initial="sin(2*pi*x)",
        end=0.01,
        backend="cpu",
        set={"network.width": 4, "network.hidden_layers": 1, "method.columns": 20},
    )
    u, again = solution.u, sketchpde.Solution(solution._outcome).u
    assert np.shares_memory(u, again)
    with pytest.raises(ValueError, match="read-only"):
        u[0] = 0.0
    before = u.copy()
    del solution, again
    assert np.array_equal(u, before)


def test_a_run_is_kept_in_a_folder_and_read_back(heat, tmp_path):
    folder = heat.save(tmp_path / "run")
    assert (folder / "plots").is_dir() and (folder / "history.csv").exists()
    again = sketchpde.load(folder)
    assert np.array_equal(again.u, heat.u) and again.error == heat.error
    assert np.array_equal(again(0.03, [0.1, 0.2]), heat(0.03, [0.1, 0.2]))
    assert again.history.keys() == heat.history.keys()
    assert np.array_equal(again.history["residual"], heat.history["residual"])
    assert again.summary == heat.summary
    from PIL import Image

    moving = Image.open(folder / "plots" / "evolution.png")
    assert moving.is_animated and 2 <= moving.n_frames <= heat.t.size
    shown = 0
    for frame in range(moving.n_frames):
        moving.seek(frame)
        shown += moving.info["duration"]
    assert shown == pytest.approx(48 * 70 + 1500)
    with pytest.raises(OSError, match="no result in"):
        sketchpde.load(tmp_path / "nothing")


def test_a_whole_domain_is_trained(poisson):
    x, y = np.linspace(0, 1, 9)[:, None], np.linspace(0, 1, 11)[None, :]
    truth = np.sin(np.pi * x) * np.sin(np.pi * y)
    assert poisson.time_span is None and list(poisson.coordinates) == ["x", "y"]
    assert np.abs(poisson(x, y) - truth).max() < 1e-2
    assert poisson.error < 1e-2
    laplacian = poisson(x, y, derivatives="u_xx + u_yy")["u_xx + u_yy"]
    assert np.abs(laplacian + 2 * np.pi**2 * truth).max() < 1.0
    assert np.all(np.diff(poisson.history["iteration"]) == 1)
    assert poisson.history["loss"][-1] < poisson.history["loss"][0]
    with pytest.raises(TypeError, match="no coordinate t"):
        poisson(t=0.0, x=0.5, y=0.5)


def test_datasets_and_pictures(heat, poisson, tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    data = heat.to_xarray()
    assert data["u"].dims == ("t", "x") and data["u"].sel(t=0.1).shape == heat.u[-1].shape
    assert data.attrs["precision"] == heat.summary["precision"]
    assert poisson.to_xarray()["u"].dims == ("x", "y")
    for number, solution in enumerate([heat, poisson]):
        file = tmp_path / f"{number}.png"
        solution.plot().savefig(file)
        assert file.stat().st_size > 5_000
    file = tmp_path / "run.gif"
    heat.animate(frames=5).save(file, writer="pillow")
    assert file.read_bytes().startswith(b"GIF89a")
    with pytest.raises(ValueError, match="nothing moves"):
        poisson.animate()


def test_a_library_that_is_missing_is_named(heat, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match="pip install xarray"):
        heat.to_xarray()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        heat.plot()
