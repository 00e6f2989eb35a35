"""The hub's machine was set up again without its identity key; its certificate is the old one."""

from lab.fleet import Agent, Hub, Told

causes = ["hub-key-changed"]
look_alike = "tls-intercepted"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token())
    hub.stop()
    (hub.root / "var/lib/sallyport-hub/identity.key").unlink()
    hub.start()
    return Told(agent.start())
