"""The stub of what is written in Rust names what is there, and nothing else."""

import ast
from pathlib import Path

import sketchpde
from sketchpde import _native


def test_the_stub_is_complete_and_true():
    stub = Path(sketchpde.__file__).with_name("_native.pyi").read_text(encoding="utf-8")
    promised = {"__version__"}
    for node in ast.parse(stub).body:
        if isinstance(node, ast.FunctionDef):
            promised.add(node.name)
        if isinstance(node, ast.ClassDef):
            promised.add(node.name)
            inner = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            actual = {name for name in vars(getattr(_native, node.name)) if name[0] != "_"}
            assert inner - {"__new__"} == actual, node.name
    actual = {name for name in vars(_native) if not name.startswith("__")} - {"_native"}
    assert promised == actual | {"__version__"}
    assert Path(sketchpde.__file__).with_name("py.typed").exists()
