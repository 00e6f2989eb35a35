"""A disk was copied, identity and all, to a second machine; the first one is online when the copy starts."""

from lab import net
from lab.fleet import Agent, Hub, Told, another_machine

causes = ["agent-duplicate"]
look_alike = "agent-revoked"


class Refused(Told):
    """What the copy is told; the original has not noticed, and the row of the server says it."""

    def __init__(self, copy, original, hub):
        super().__init__(copy)
        self.original, self.hub = original, hub

    def run(self):
        super().run()
        assert "other=" in self.agent.log() and "10.77.0.2" in self.agent.log(), self.agent.log()
        row, = self.hub.wait_online()
        assert row["cause"] == "agent-duplicate" and "10.77.1." in row["reason"], row
        assert self.original.told() == [] and self.original.status()["state"] == "online"
        return self


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    original = Agent(lab).joined(hub.token()).start().wait_online()
    copy = original.copied("copy", namespace=lab.site, mounts=another_machine(lab))
    net.wait_until(lambda: hub.servers()[0]["address"], 5, "the original's row")
    return Refused(copy.start(), original, hub)
