"""The machine is there, and nothing listens on port 443."""

from lab.world import CONSOLE, ENDPOINT

causes = ["connect-refused"]
look_alike = "connect-prohibited"


def play(lab):
    lab.names[CONSOLE] = ENDPOINT
    lab.dns()
    return lab.check()
