"""The scenarios of the lab, by file name."""

import importlib
from pathlib import Path

FOLDER = Path(__file__).parent / "scenarios"


def names():
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def scenario(name):
    return importlib.import_module(f"lab.scenarios.{name}")
