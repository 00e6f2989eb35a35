"""The hub is killed while nothing is under way: its machine closes the connection, and nobody said why."""

from lab import net
from lab.fleet import Agent, Hub, Told

causes = ["peer-closed"]
look_alike = "hub-restarting"


def play(lab):
    hub = Hub(lab, options=()).start()  # with a heartbeat a minute
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    row, = hub.wait_online()
    # What a killed program has not read is answered with a reset: wait for the last of it.
    net.wait_until(lambda: hub.request("GET", f"/v1/servers/{row['id']}")[1]["check"], 10,
                   "the check that follows coming online")
    hub.kill()
    return Told(agent)
