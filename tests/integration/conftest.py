"""Hub and agent as programs, in the networks of the fault lab."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab.fixtures import built, lab  # noqa: E402, F401
