"""The administrator removes a machine while its agent is stopped; it learns so when it comes back."""

from lab.fleet import Agent, Hub, Told

causes = ["agent-revoked"]
look_alike = "token-unknown"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token())
    row, = hub.servers()
    status, answer = hub.request("DELETE", f"/v1/servers/{row['id']}")
    assert status == 204, answer
    return Told(agent.start())
