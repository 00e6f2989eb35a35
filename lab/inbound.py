"""What can be reached on the client: an SSH server, and a profile that wants one for auto-install."""

import fcntl
import os
import socket
import sys
import time
from pathlib import Path

from lab.servers import raw
from lab.world import CLIENT

ROOT = Path(__file__).resolve().parents[1]

WANTED = {"inbound": [{"port": 22, "protocol": "tcp", "service": "SSH", "os": "linux",
                       "when": "auto-install"}]}


def ssh(lab, address=CLIENT):
    """Something that listens as an SSH server does: who listens is all that matters here."""
    return raw.serve(lab.client, address, 22, "ssh")


def check(lab, user=False):
    """The endpoint is well; what is asked besides is the inbound port."""
    lab.endpoint()
    lab.dns()
    return lab.check(profile=WANTED, user=user)


def fake_agent(lab, port):
    """A process that holds the agent's lock and listens."""
    folder = lab.root / "var/lib/sallyport"
    folder.mkdir(parents=True, exist_ok=True)
    process = lab.client.popen(["/usr/bin/python3", "-m", "lab.inbound", folder / "agent.lock", port],
                               cwd=ROOT, log="fake-agent")
    process.wait_for("^ready$")
    return process


def main(lock, port):
    fd = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    listener = socket.create_server(("0.0.0.0", int(port)))
    print("ready", flush=True)
    while listener:
        time.sleep(3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
