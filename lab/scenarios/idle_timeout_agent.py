"""A firewall forgets connections that are idle for a second, and the hub wants a heartbeat every 1.6 s: the agent
loses two sessions, understands, and stays online with a shorter heartbeat."""

from lab import net
from lab.fleet import Agent, Hub, Told

causes = ["idle-timeout"]
look_alike = "keepalive-lost"
waits = 9
OPTIONS = ("--heartbeat-ms", 1600, "--heartbeat-jitter-ms", 100, "--heartbeat-timeout-ms", 600,
           "--backoff-cap-ms", 100)


class Settles(Told):
    """What the log tells after the first loss; and from then on the sessions live."""

    def __init__(self, agent, hub):
        super().__init__(agent, after=1)
        self.hub = hub

    def run(self):
        super().run()
        self.agent.wait_online(3)
        log = self.agent.log()
        beats = self.hub.messages()
        net.wait_until(lambda: self.hub.messages() >= beats + 5, 15, "five heartbeats")
        assert self.agent.log() == log, f"it was lost again\n{self.agent.log()}"
        rhythm = self.agent.status()["rhythm"]
        assert 300 < rhythm["heartbeat_ms"] < 1000, rhythm
        row, = self.hub.servers()
        path = self.hub.request("GET", f"/v1/servers/{row['id']}")[1]["path"]
        assert path["heartbeat_ms"] == rhythm["heartbeat_ms"] and path["previous"]["cause"] == "idle-timeout", path
        return self


def play(lab):
    hub = Hub(lab, options=OPTIONS).start()
    lab.dns()
    lab.forgetful(1)
    return Settles(Agent(lab).joined(hub.token()).start().wait_online(), hub)
