"""The program that runs as the agent listens on a port.

It is a fake that holds the agent's lock: the real agent has no code that listens, and must never get any."""

from lab import inbound

causes = ["agent-listens"]
look_alike = "inbound-closed"
evidence = {"listener": "TCP port 9999"}


def play(lab):
    lab.endpoint()
    lab.dns()
    inbound.fake_agent(lab, 9999)
    return lab.check()
