"""Another machine used the token, which is good for one."""

from lab.fleet import Agent, Hub, Refused

causes = ["token-used-up"]
look_alike = "token-unknown"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    token = hub.token(uses=1)
    Agent(lab, "first").joined(token)
    return Refused(Agent(lab), token)
