"""The hub is told to end and says so to its agents first."""

import signal

from lab.fleet import Agent, Hub, Told

causes = ["hub-restarting"]
look_alike = "peer-closed"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    hub.process.signal(signal.SIGTERM)
    return Told(agent)
