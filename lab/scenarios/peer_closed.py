"""The hub is killed: its machine closes the connection, and nobody said why."""

from lab.fleet import Agent, Hub, Told

causes = ["peer-closed"]
look_alike = "hub-restarting"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    hub.kill()
    return Told(agent)
