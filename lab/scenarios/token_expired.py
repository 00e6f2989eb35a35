"""The token's time ran out yesterday."""

from lab.fleet import Agent, Hub, Refused

causes = ["token-expired"]
look_alike = "token-used-up"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    token = hub.token()
    hub.sql("UPDATE tokens SET created = created - 172800, expires = created - 86400")
    return Refused(Agent(lab), token)
