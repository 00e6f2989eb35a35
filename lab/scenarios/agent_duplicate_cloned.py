"""A virtual machine was cloned while it was off, machine-id and all: the clone takes the session over, as the same
machine would after a restart, but the original comes back for it."""

from lab.fleet import Agent, Hub, Told

causes = ["agent-duplicate"]
look_alike = "peer-closed"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    original = Agent(lab).joined(hub.token()).start().wait_online()
    clone = original.copied("clone", namespace=lab.site)
    clone.start().wait_online()
    # The first thing that the original hears is that it was replaced; then it is told why.
    return Told(original, after=1)
