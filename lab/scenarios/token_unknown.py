"""The administrator revoked the token before the machine used it."""

from lab.fleet import Agent, Hub, Refused

causes = ["token-unknown"]
look_alike = "token-expired"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    token = hub.token()
    status, answer = hub.request("GET", "/v1/tokens")
    assert status == 200, answer
    hub.command("token", "revoke", answer["tokens"][0]["id"])
    return Refused(Agent(lab), token)
