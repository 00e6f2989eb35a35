"""No SSH server runs, and none has to: the agent is installed, so its port may be closed (row R14). It
runs, and listens on no port (row R9)."""

from lab import inbound
from lab.fleet import Agent, Hub

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    hub = Hub(lab).start()
    lab.dns()
    Agent(lab).joined(hub.token()).start().wait_online()
    return lab.check(profile=inbound.WANTED)
