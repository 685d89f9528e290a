"""The notebooks of the examples, cell by cell."""

import ast
import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_from_its_first_cell_to_its_last(notebook, tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    names, pictures = {"__name__": "__main__"}, 0
    for number, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        body = ast.parse("".join(cell["source"]), filename=f"{notebook.name}, cell {number}").body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), notebook.name, "exec"), names)
        if last is not None:
            shown = eval(compile(ast.Expression(last.value), notebook.name, "eval"), names)
            if hasattr(shown, "savefig"):
                pictures += 1
                shown.savefig(tmp_path / f"{number}.png")
    assert pictures > 0
