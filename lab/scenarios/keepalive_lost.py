"""A firewall forgets the connection that is up and drops its packets, without a word."""

from lab.fleet import Agent, Hub, Told

causes = ["keepalive-lost"]
look_alike = "peer-reset"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    lab.firewall(f"tcp sport {agent.local_port()} tcp dport 443 drop")
    return Told(agent)
