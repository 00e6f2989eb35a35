"""The world that a scenario plays in."""

from lab.fixtures import built, lab  # noqa: F401
