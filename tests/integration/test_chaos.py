"""No job lost and none run twice, whatever is killed (S8): the short form of `./dev chaos`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from chaos.chaos import Chaos  # noqa: E402


@pytest.mark.timeout(300)
def test_no_job_is_lost_and_none_runs_twice(lab):
    chaos = Chaos(lab, jobs=60, machines=3)
    try:
        tally = chaos.run()
    finally:
        chaos.end()
    assert tally["done"] > 30, tally
    assert chaos.kills["hub"] and chaos.kills["agent"], chaos.kills
