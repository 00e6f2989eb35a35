"""The administrator removes a machine that is online."""

from lab.fleet import Agent, Hub, Told

causes = ["agent-revoked"]
look_alike = "peer-closed"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    row, = hub.wait_online()
    status, answer = hub.request("DELETE", f"/v1/servers/{row['id']}")
    assert status == 204, answer
    return Told(agent)
