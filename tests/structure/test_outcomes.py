"""Every outcome of an install is told in the docs, and proven by a test that names it."""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

import outcomes_page  # noqa: E402


def test_the_page_tells_what_each_outcome_means():
    text = (TOP / "docs/installing.md").read_text()
    assert outcomes_page.BEGIN in text and outcomes_page.renewed(text) == text, "run ./dev fmt"


def test_every_outcome_is_proven():
    every = {id for id, *_ in outcomes_page.outcomes()}
    assert len(every) > 25
    tests = "".join(path.read_text() for folder in ("integration", "unit")
                    for path in (TOP / "tests" / folder).glob("*") if path.suffix in (".py", ".c"))
    assert {id for id in every if not re.search(rf"\b{id}\b", tests)} == set()
