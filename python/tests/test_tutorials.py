"""The tutorial of the book, block by block; an expression with a comment `# < NUMBER` is a claim."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "src" / "tutorials" / "python.md"
CLAIM = re.compile(r"(?P<what>\S.*?)\s+# < (?P<bound>\S+)")


def false_claims(page, names):
    """Runs the blocks; the claims that do not hold, and how many there are."""
    false, count = [], 0
    for block in re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL):
        exec(compile(block, "tutorial", "exec"), names)
        for claim in filter(None, map(CLAIM.fullmatch, block.splitlines())):
            value = eval(claim["what"], names)
            count += 1
            if not value < float(claim["bound"]):
                false.append(f"{claim.group()}: {value}")
    return false, count


def test_the_tutorial_does_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    false, count = false_claims(PAGE.read_text(encoding="utf-8"), {})
    assert not false
    assert count >= 8


def test_a_false_claim_is_found():
    page = "```python\nx = 2\n\nx    # < 3\nx - 1  # < 1e-3\n```\n"
    assert false_claims(page, {}) == (["x - 1  # < 1e-3: 1"], 2)
