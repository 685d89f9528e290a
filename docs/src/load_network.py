"""Networks of sketchpde in Python: u(t, x, ...) from parameters.safetensors, in f64.

    u = load("out/allen-cahn-seed0/parameters.safetensors")   # numpy
    u = load(path, jax.numpy)                                 # JAX: jit, grad, vmap (enable x64)
    u = load(path, torch)                                     # PyTorch: autograd

    u({"x": x})             # evolutions: the solution at the time of the file
    u({"t": t, "x": x})     # trainings in space-time

Of several unknowns u is an array with a column for each. Coordinates are arrays of one length. `theta` in place of the file's own parameters evaluates an
evolution at another time: a row of `parameters` in trajectory.npz, with `time`.
"""

import itertools
import json
import math
import struct

import numpy


def read(path):
    """The head (text by key) and the tensors of a safetensors file of f64."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    head = header.pop("__metadata__")
    tensors = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"][0]):
        begin, end = entry["data_offsets"]
        tensors[name] = numpy.frombuffer(data[begin:end], "<f8").reshape(entry["shape"])
    return head, tensors


def activation(kind, xp, c, dc, z, dz):
    """sigma(z), and its change along a change dz of z and dc of its coefficients c."""
    if kind == "tanh":
        h = xp.tanh(z)
        return h, (1 - h * h) * dz
    if kind == "sin":
        return xp.sin(z), xp.cos(z) * dz
    if kind == "swish":
        s = 1 / (1 + xp.exp(-z))
        return z * s, s * (1 + z * (1 - s)) * dz
    (p3, p2, p1, p0, q2, q1, q0), (dp3, dp2, dp1, dp0, dq2, dq1, dq0) = c[0], dc[0]
    above, below = ((p3 * z + p2) * z + p1) * z + p0, (q2 * z + q1) * z + q0
    d_above = ((3 * p3 * z + 2 * p2) * z + p1) * dz + ((dp3 * z + dp2) * z + dp1) * z + dp0
    d_below = (2 * q2 * z + q1) * dz + (dq2 * z + dq1) * z + dq0
    return above / below, (d_above - above / below * d_below) / below


def load(path, xp=numpy):
    head, tensors = read(path)
    shape = json.loads(head["network"])
    inputs = shape["inputs"]
    constants = json.loads(head["constants"])
    def array(values):
        if xp.__name__ == "torch":
            return xp.tensor(numpy.array(values), dtype=xp.float64)
        return xp.asarray(values)

    def function(name):
        # Numbers are made arrays: formulas may ask for the sine of a constant.
        number = lambda a: array(float(a)) if isinstance(a, (int, float)) else a
        return lambda *arguments: getattr(xp, name)(*map(number, arguments))

    names = {"pi": math.pi, "e": math.e, "min": function("minimum"), "max": function("maximum")}
    for name in "sin cos tan sinh cosh tanh exp log sqrt abs sign".split():
        names[name] = function(name)

    def formula(text, at):
        return eval(text.replace("^", "**"), {"__builtins__": {}}, {**names, **constants, **at})

    def embed(group, p, d, at):
        z, dz = 0.0, 0.0
        periodic = [i for i in inputs if i["kind"] == "periodic"]
        for k, i in enumerate(periodic):
            names = [f"{group}.{n}" for n in ("amplitude", "phase", "shift")]
            (a, phase, shift), (da, dphase, dshift) = ([q[n][:, k] for n in names] for q in (p, d))
            angle = 2 * math.pi / i["period"] * at[i["name"]][:, None] + phase
            z = z + a * xp.cos(angle) + shift
            dz = dz + da * xp.cos(angle) - a * xp.sin(angle) * dphase + dshift
        scaled = []
        for i in inputs:
            if i["kind"] == "linear":
                scaled.append(2 * (at[i["name"]] - i["lower"]) / (i["upper"] - i["lower"]) - 1)
            if i["kind"] == "flat":
                scaled += [formula(f, at) for f in i["features"]]
        if scaled:
            s = xp.stack(scaled, -1)
            if shape["frequencies"]:
                b = s @ array(shape["frequencies"]).T
                s = xp.stack([xp.cos(b), xp.sin(b)], -1).reshape(b.shape[0], -1)
            slope, offset = f"{group}.slope", f"{group}.offset"
            z = z + s @ p[slope].T + p[offset][:, 0]
            dz = dz + s @ d[slope].T + d[offset][:, 0]
        return z, dz

    several = head["unknown"].startswith("[")
    formulas = lambda key: json.loads(head[key]) if several else [head[key]]
    ansatz = list(zip(formulas("lift"), formulas("distance")))
    together = (lambda columns: xp.stack(columns, -1)) if several else (lambda columns: columns[0])
    order = json.loads(head["order"])
    own = {name: array(values) for name, values in tensors.items() if name in order}
    # Of a corrected training; zero otherwise.
    change = {name: array(tensors.get(f"correction.{name}", 0 * tensors[name])) for name in order}
    frequencies, inversions, coefficients = (
        tensors.get(f"waves.{n}") for n in ("frequencies", "inversions", "coefficients"))

    def waves(at):
        """The sum of plane waves beside a corrected network, a column for each unknown."""
        s = []
        for i in inputs:
            x = at[i["name"]]
            s.append(2 * math.pi / i["period"] * x if i["kind"] == "periodic"
                     else 2 * (x - i["lower"]) / (i["upper"] - i["lower"]) - 1)
        angles = []
        for hole, mine in itertools.groupby(range(len(frequencies)), lambda j: tuple(inversions[j])):
            # Around a hole the coordinates that it depends on are turned inside out.
            centre, inverse_axes = hole[:len(inputs)], hole[len(inputs):]
            y = [b * (at[i["name"]] - c) for i, b, c in zip(inputs, inverse_axes, centre)]
            square = sum(v * v for v, b in zip(y, inverse_axes) if b != 0)
            q = [v / square if b != 0 else own for v, b, own in zip(y, inverse_axes, s)]
            angles.append(xp.stack(q, -1) @ array(frequencies[list(mine)]).T)
        angle = xp.concatenate(angles, -1)
        a, b = array(coefficients[0::2]), array(coefficients[1::2])
        return xp.cos(angle) @ a.T + xp.sin(angle) @ b.T

    def u(at, theta=None, time=None):
        p, d = own, change
        if theta is not None:
            # The vector holds the tensors in the order of the file's layout.
            p, first = {}, 0
            for name in order:
                size = tensors[name].size
                p[name] = array(theta[first:first + size]).reshape(tensors[name].shape)
                first += size
        # h is what a layer hands on, dh its derivative along the correction.
        def sigma(k, z, dz):
            c, dc = (q.get(f"activation.{k}") for q in (p, d))
            return activation(shape["activation"], xp, c, dc, z, dz)

        def linear(name, h, dh):
            (w, b), (dw, db) = ((q[f"{name}.weight"].T, q[f"{name}.bias"][:, 0]) for q in (p, d))
            return h @ w + b, dh @ w + h @ dw + db

        h, dh = sigma(0, *embed("embedding", p, d, at))
        if shape["encoders"]:
            (u1, du1), (u2, du2) = (sigma(0, *embed(name, p, d, at)) for name in ("encoder1", "encoder2"))
        for k in range(1, shape["hidden_layers"] + 1):
            h, dh = sigma(k, *linear(f"hidden.{k}", h, dh))
            if shape["encoders"]:
                h, dh = u1 + h * (u2 - u1), du1 + dh * (u2 - u1) + h * (du2 - du1)
        network, dnetwork = linear("output", h, dh)
        network = network + dnetwork
        if frequencies is not None and theta is None:
            network = network + waves(at)
        if time is None and "time" in head:
            time = float(head["time"])
        at = at if time is None else {"t": time, **at}
        return together([formula(lift, at) + formula(distance, at) * network[:, k]
                         for k, (lift, distance) in enumerate(ansatz)])

    return u
