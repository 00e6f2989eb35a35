"""Every scenario of the lab ends with exactly the causes that it was built to have (rows B2, B5, B6)."""

import pytest

from lab import catalogue, score


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", catalogue.longest_first())
def test_scenario(name, lab):
    result, words = score.play(name, lab)
    assert result.named == result.broken, words
    assert not result.faults, f"{result.faults}\n{words}"
