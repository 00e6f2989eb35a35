"""docs/api.md: every command of it works, and answers what is shown (S11)."""

import json
import re
import shutil
from pathlib import Path

from lab import programs
from lab.fleet import Agent, Hub

PAGE = Path(__file__).resolve().parents[2] / "docs/api.md"
MARK = "--- end of block ---"


def blocks():
    """(commands, the answer that is shown or None), in order."""
    found = re.findall(r"^```(sh|json)\n(.*?)^```\n", PAGE.read_text(), re.M | re.S)
    pairs = []
    for kind, text in found:
        if kind == "sh":
            pairs.append([text, None])
        else:
            assert pairs[-1][1] is None, "an answer follows its commands"
            pairs[-1][1] = json.loads(text)
    return pairs


def shape(value):
    """The members of an answer, whatever their values are."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [shape(value[0])]
    return None


def test_the_page(lab):
    hub = Hub(lab).start()
    lab.dns()
    Agent(lab).joined(hub.token(), "--location", "hall 2").start()
    hub.wait_online()
    home = lab.folder / "home"
    home.mkdir()
    shutil.copy(hub.root / "var/lib/sallyport-hub/ca.pem", home)
    pairs = blocks()
    assert len(pairs) > 10 and sum(1 for _, shown in pairs if shown) > 5
    # On the page this is the reader's machine: sudo and the program are where he has them.
    script = [f"cd {home}", "set -eu", 'sudo() { "$@"; }',
              f'sallyport-hub() {{ {programs.HUB} "$@" --root {hub.root}; }}']
    for commands, _ in pairs:
        script += [commands, f"echo; echo '{MARK}'"]
    # Inside the hub's namespace its name is not served by a DNS server.
    done = hub.namespace.run(["bash", "-c", "\n".join(script)], timeout=60, mounts=[
        (hosts(lab, hub), "/etc/hosts")])
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    answers = done.stdout.split(MARK)
    for (commands, shown), printed in zip(pairs, answers):
        if shown is not None:
            answer = json.loads(printed.strip().split("\n")[-1])
            assert shape(answer) == shape(shown), f"{commands}\nanswers {printed}"
            assert answer.get("type") == shown.get("type")
    assert "spk_" not in done.stdout, "the key is shown to nobody"


def hosts(lab, hub):
    file = lab.folder / "hosts-of-the-hub"
    file.write_text(f"127.0.0.1 localhost\n{hub.address} {hub.name}\n")
    return file
