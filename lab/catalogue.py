"""The scenarios of the lab, by file name."""

import importlib
from pathlib import Path

FOLDER = Path(__file__).parent / "scenarios"


def names():
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def longest_first():
    """The order in which workers get them best: those that say how many seconds they wait come first."""
    return sorted(names(), key=lambda name: -getattr(scenario(name), "waits", 0))


def scenario(name):
    return importlib.import_module(f"lab.scenarios.{name}")
