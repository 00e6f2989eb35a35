"""Every scenario of the lab ends with exactly the causes that it was built to have (rows B2, B5, B6)."""

import pytest

from lab import catalogue


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", catalogue.names())
def test_scenario(name, lab):
    scenario = catalogue.scenario(name)
    outcome = scenario.play(lab).run()
    assert outcome.causes == sorted(scenario.causes), outcome.explain()
    if outcome.code is not None:
        assert outcome.code == outcome.expected_code(scenario.causes), outcome.explain()
    if lab.proxied:  # rows R21 to R23: behind a proxy nothing goes out directly
        assert lab.direct_packets() == 0, outcome.explain()
