"""Fixtures: small problems that are solved once for all tests."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Fits and references of these tests are kept apart from the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKETCHPDE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


HEAT = {
    "equation": "u_t = kappa*u_xx",
    "domain": {"x": (0, 1)},
    "initial": "sin(2*pi*x)",
    "end": 0.1,
    "parameters": {"kappa": 0.05},
    "backend": "cpu",
    "set": {
        "network.width": 6,
        "network.hidden_layers": 2,
        "points.count": 48,
        "method.columns": 50,
    },
}


@pytest.fixture(scope="session")
def heat():
    import sketchpde

    return sketchpde.solve(**HEAT)


@pytest.fixture(scope="session")
def poisson():
    import sketchpde

    return sketchpde.solve(
        "-(u_xx + u_yy) = 2*pi^2*sin(pi*x)*sin(pi*y)",
        domain={"x": (0, 1), "y": (0, 1)},
        conditions={"boundary": "u = 0"},
        exact="sin(pi*x)*sin(pi*y)",
        set={"network.layers": [12], "method.iterations": 25, "evaluation.count": 30},
        backend="cpu",
    )
