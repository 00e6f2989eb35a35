"""No cause without a scenario, no scenario without a cause (row B6)."""

import pytest

from lab import catalogue, programs

SCENARIOS = {name: catalogue.scenario(name) for name in catalogue.names()}


def test_every_cause_has_a_scenario():
    shown = {cause for scenario in SCENARIOS.values() for cause in scenario.causes}
    missing = set(programs.causes()) - shown
    assert not missing, f"causes.def has causes that no scenario shows: {sorted(missing)}"


def test_causes_are_read_from_the_table():
    text = (programs.ROOT / "src/diagnosis/causes.def").read_text()
    assert len(programs.causes()) == text.count("\nCAUSE("), "a row of causes.def was not understood"


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_is_whole(name):
    scenario, known = SCENARIOS[name], programs.causes()
    assert scenario.__doc__ and len(scenario.__doc__) > 20, "says what stands where and what is broken"
    assert set(scenario.causes) <= set(known)
    if scenario.causes:
        assert scenario.look_alike in known, "names the cause that it must not be taken for"
        assert scenario.look_alike not in scenario.causes
    else:
        assert name.startswith("healthy_")


def test_healthy_controls():
    assert sum(not scenario.causes for scenario in SCENARIOS.values()) >= 10
