"""Of a hub at four names the DNS does not know that of discovery; the machine has joined before."""

from lab.fleet import Agent, FourHub

causes = ["dns-nxdomain"]
look_alike = "dns-servfail"
affects = ["endpoint.discovery"]


def play(lab):
    hub = FourHub(lab).start()
    server = lab.dns()
    Agent(lab).joined(hub.token())
    server.stop()
    lab.dns({name: address for name, address in lab.names.items() if not name.startswith("discovery")})
    return lab.check(hub=hub.url)
