"""The benchmark of a fleet, small: it runs from end to end, and its figures are of what they say (no figure is judged)."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SALLYPORT_BUILD", TOP / "build")).resolve()
AGENTS = 50

sys.path.insert(0, str(TOP / "bench"))


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """What `./dev bench --fleet` measured. Loopback in a network namespace of its own: no port is taken there."""
    figures = tmp_path_factory.mktemp("fleet") / "figures.json"
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", "/usr/bin/python3",
         TOP / "bench/run.py", "--fleet", "--quick", "--agents", str(AGENTS), "--build", BUILD, "--json", figures],
        capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(figures.read_text())


def test_every_agent_and_client_answers(rows):
    assert {name for name, row in rows.items() if isinstance(row, dict) and row.get("count") == AGENTS} == {
        "hub.command", "hub.command_after", "mosquitto.command", "mosquitto.command_sure", "nats.command"}


def test_agents_come_back_to_a_hub_that_was_killed(rows):
    recovery = rows["hub.recovery"]
    online = [count for at, count in recovery["curve"] if at > 0]
    assert min(online) < AGENTS and online[-1] == AGENTS
    assert 0 < recovery["ready_s"] <= recovery["back_s"]
    assert any(took is not None for at, took in recovery["list"] if at > recovery["ready_s"])


def test_the_page_and_its_picture_say_what_was_measured(rows):
    import fleet_page

    page = fleet_page.page(rows)
    assert f"{AGENTS} agents" in page and "| hub |" in page
    before = "# Figures\n\ntext\n"
    once = fleet_page.put(before, page)
    assert once.startswith(before) and fleet_page.put(once, page) == once
    picture = fleet_page.Recovery(AGENTS, rows["hub.recovery"]).draw()
    assert picture.startswith("<svg") and "prefers-color-scheme: dark" in picture
    numbers = [float(number) for number in re.findall(r'c[xy]="([\d.-]+)"', picture)]
    assert numbers and all(0 <= number <= fleet_page.WIDTH for number in numbers)
