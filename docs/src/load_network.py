"""Networks of sketchpde in Python: u(t, x, ...) from parameters.safetensors, in f64.

    u = load("out/allen-cahn-seed0/parameters.safetensors")   # numpy
    u = load(path, jax.numpy)                                 # JAX: jit, grad, vmap (enable x64)
    u = load(path, torch)                                     # PyTorch: autograd

    u({"x": x})             # evolutions: the solution at the time of the file
    u({"t": t, "x": x})     # trainings in space-time

Of several unknowns u is an array with a column for each. Coordinates are arrays of one length. `theta` in place of the file's own parameters evaluates an
evolution at another time: a row of `parameters` in trajectory.npz, with `time`.
"""

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


def activation(kind, xp, coefficients):
    if kind == "tanh":
        return xp.tanh
    if kind == "sin":
        return xp.sin
    if kind == "swish":
        return lambda z: z / (1 + xp.exp(-z))
    p3, p2, p1, p0, q2, q1, q0 = coefficients[0]
    return lambda z: (((p3 * z + p2) * z + p1) * z + p0) / ((q2 * z + q1) * z + q0)


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

    def embed(group, p, at):
        z = 0.0
        periodic = [i for i in inputs if i["kind"] == "periodic"]
        for k, i in enumerate(periodic):
            a, phase, shift = (p[f"{group}.{n}"][:, k] for n in ("amplitude", "phase", "shift"))
            angle = 2 * math.pi / i["period"] * at[i["name"]][:, None]
            z = z + a * xp.cos(angle + phase) + shift
        linear = [i for i in inputs if i["kind"] == "linear"]
        if linear:
            scaled = [2 * (at[i["name"]] - i["lower"]) / (i["upper"] - i["lower"]) - 1 for i in linear]
            s = xp.stack(scaled, -1)
            if shape["frequencies"]:
                b = s @ array(shape["frequencies"]).T
                s = xp.stack([xp.cos(b), xp.sin(b)], -1).reshape(b.shape[0], -1)
            z = z + s @ p[f"{group}.slope"].T + p[f"{group}.offset"][:, 0]
        return z

    several = head["unknown"].startswith("[")
    lifts = json.loads(head["lift"]) if several else [head["lift"]]
    together = (lambda columns: xp.stack(columns, -1)) if several else (lambda columns: columns[0])
    own = {name: array(values) for name, values in tensors.items()}

    def u(at, theta=None, time=None):
        p = own
        if theta is not None:
            # The vector holds the tensors in the order of the file's layout.
            p, first = {}, 0
            for name in json.loads(head["order"]):
                size = tensors[name].size
                p[name] = array(theta[first:first + size]).reshape(tensors[name].shape)
                first += size
        sigma = [activation(shape["activation"], xp, p.get(f"activation.{k}"))
                 for k in range(shape["hidden_layers"] + 1)]
        h = sigma[0](embed("embedding", p, at))
        if shape["encoders"]:
            first, second = (sigma[0](embed(name, p, at)) for name in ("encoder1", "encoder2"))
        for k in range(1, shape["hidden_layers"] + 1):
            h = sigma[k](h @ p[f"hidden.{k}.weight"].T + p[f"hidden.{k}.bias"][:, 0])
            if shape["encoders"]:
                h = first + h * (second - first)
        network = h @ p["output.weight"].T + p["output.bias"][:, 0]
        if time is None and "time" in head:
            time = float(head["time"])
        at = at if time is None else {"t": time, **at}
        distance = formula(head["distance"], at)
        return together([formula(lift, at) + distance * network[:, k] for k, lift in enumerate(lifts)])

    return u
