"""A middlebox resets the connection that is up; a new one is let through."""

from lab.fleet import Agent, Hub, Told

causes = ["peer-reset"]
look_alike = "peer-closed"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    lab.firewall(f"tcp sport {agent.local_port()} tcp dport 443 reject with tcp reset")
    return Told(agent)
