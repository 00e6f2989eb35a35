"""A machine moves to another address while its old connection hangs, and its service is killed and started again: it is
the same machine, so it takes over from itself at once."""

from lab import net
from lab.fleet import Agent, Hub, Quiet

causes = []
look_alike = "agent-duplicate"


def play(lab):
    hub = Hub(lab, options=()).start()  # a minute until the hub would notice the silence
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    hub.wait_online()
    lab.firewall(f"tcp sport {agent.local_port()} drop")  # the hub will not hear that it is gone
    agent.process.kill()
    lab.client.ip("addr", "add", "10.77.0.3/24", "dev", "eth0")
    lab.client.ip("route", "replace", "default", "via", "10.77.0.1", "src", "10.77.0.3")
    net.wait_until(lambda: "10.77.0.3" in lab.client.ip("route", "get", "203.0.113.1"), 5, "the new address")
    return Quiet(agent.start(), times=2)
