"""Of a hub at four names a firewall drops what goes to that of the session."""

from lab.fleet import Agent, FourHub
from lab.world import FOUR

causes = ["connect-timeout"]
look_alike = "connect-prohibited"
affects = ["endpoint.session"]
waits = 6


def play(lab):
    hub = FourHub(lab).start()
    lab.dns()
    Agent(lab).joined(hub.token())
    lab.firewall(f"ip daddr {FOUR['session']} tcp dport 443 drop")
    return lab.check(hub=hub.url)
