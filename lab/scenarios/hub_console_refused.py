"""Of a hub at four names that of the console answers with a reset; this machine has not joined it."""

from lab.fleet import FourHub
from lab.world import FOUR

causes = ["connect-refused"]
look_alike = "connect-prohibited"
affects = ["endpoint.console"]


def play(lab):
    hub = FourHub(lab).start()
    lab.dns()
    lab.firewall(f"ip daddr {FOUR['console']} tcp dport 443 reject with tcp reset")
    return lab.check(hub=hub.url)
