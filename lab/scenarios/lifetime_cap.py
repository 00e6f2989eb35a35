"""A firewall resets each connection two seconds after it began, although heartbeats flow on it; a new one is let
through."""

from lab.fleet import Agent, Hub, Told

causes = ["lifetime-cap"]
look_alike = "peer-reset"
waits = 8
RULES = """
table inet strict {
	set young {
		type ipv4_addr . inet_service
		flags timeout
	}
	chain pass {
		type filter hook forward priority 0; policy accept;
		tcp dport 443 tcp flags & (syn | ack) == syn add @young { ip saddr . tcp sport timeout 2s } accept
		tcp dport 443 ip saddr . tcp sport != @young reject with tcp reset
	}
}
"""


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    lab.router.nft(RULES)
    agent = Agent(lab).joined(hub.token()).start()
    return Told(agent, after=2)  # two may be chance, three are a rule
