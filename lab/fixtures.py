"""The fixtures of the lab's own tests and of tests/integration."""

import pytest

from lab import programs
from lab.world import Lab


@pytest.fixture(scope="session")
def built():
    for program in (programs.SALLYPORT, programs.HUB):
        assert program.exists(), (
            f"{program} is missing: ./dev build, or name another folder in SALLYPORT_BUILD")


@pytest.fixture
def lab(built):
    """A world of its own for each test."""
    with Lab() as world:
        yield world
