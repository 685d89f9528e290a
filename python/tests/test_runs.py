"""Runs: what they show on their way, Ctrl-C, other threads, the command line."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest import HEAT

import sketchpde

#: Takes minutes.
LONG = 'sketchpde.solve("burgers", backend="cpu", cache=False, progress=False)'


def test_a_run_goes_on_in_slices_and_can_be_looked_at():
    run = sketchpde.Run(**HEAT)
    assert run.status["activity"] == "setting up"
    seen = []
    while run.advance(0.01):
        seen.append(run.status)
    activities = {status["activity"] for status in seen}
    assert "stepping" in activities | {run.status["activity"]}
    assert run.status["fraction"] == 1.0
    assert run.advance(1.0) is False
    assert run.solution.error < 1e-3


def test_the_same_seed_gives_the_same_bits_as_the_command_line(heat, tmp_path):
    file = tmp_path / "heat.toml"
    file.write_text(heat.problem.source, encoding="utf-8")
    out = tmp_path / "run"
    words = ["solve", str(file), "--backend", "cpu", "--no-plots", "--json", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "sketchpde", *words], check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout)["problem"] == heat.problem.name
    assert np.array_equal(sketchpde.load(out).u, heat.u)
    assert np.array_equal(sketchpde.load(out).parameters, heat.parameters)


def test_the_command_line_has_its_exit_codes(tmp_path):
    def code(*words):
        program = [sys.executable, "-m", "sketchpde", *words]
        return subprocess.run(program, capture_output=True, cwd=tmp_path).returncode

    assert code("--version") == 0
    assert code("no-such-command") == 2
    assert code("check", "nowhere.toml") == 1


def test_progress_is_told_to_whoever_asks():
    told = []
    sketchpde.solve(**HEAT, progress=told.append)
    assert told[-1]["fraction"] == 1.0 and told[-1]["time"] == told[-1]["end"]


def test_a_failure_is_an_exception():
    with pytest.raises(sketchpde.SolveError, match="(?i)fit"):
        sketchpde.solve(**{**HEAT, "set": {**HEAT["set"], "fit.accept": 1e-15}, "cache": False})


def test_other_threads_run_meanwhile():
    beats, done = [], threading.Event()

    def beat():
        while not done.is_set():
            beats.append(time.monotonic())
            time.sleep(0.005)

    thread = threading.Thread(target=beat)
    thread.start()
    begun = time.monotonic()
    run = sketchpde.Run("burgers", backend="cpu", cache=False)
    run.advance(1.0)
    ended = time.monotonic()
    done.set()
    thread.join()
    inside = [beat for beat in beats if begun < beat < ended]
    # Without the lock released there would be none between the two.
    assert len(inside) > 20 * (ended - begun)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_a_run_within_a_second():
    program = f"import sketchpde\nprint('begun', flush=True)\n{LONG}"
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "begun\n"
    time.sleep(1.5)
    sent = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=20)
    assert "KeyboardInterrupt" in said
    assert time.monotonic() - sent < 1.0


def test_importing_is_light():
    heavy = ["numpy", "matplotlib", "xarray", "IPython", "tomllib"]
    program = f"import sys, sketchpde\nprint([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
