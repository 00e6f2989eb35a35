"""A machine joins with a fresh token."""

from lab.fleet import Agent, Hub, Refused

causes = []
look_alike = "token-unknown"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    return Refused(Agent(lab), hub.token())
