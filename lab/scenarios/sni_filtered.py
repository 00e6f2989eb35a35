"""A firewall drops every packet in which it reads the endpoint's name, and says nothing: TLS with any
other name to the same address passes. The endpoint itself never sees the ClientHello."""

from lab.world import CONSOLE

causes = ["sni-filtered"]
look_alike = "tls-stalled"
evidence = {"sni": CONSOLE, "clienthello-acknowledged": "no", "passes-with": "another name in TLS (SNI)",
            "met-as": "tls-stalled", "tried-again": "tls-stalled"}


def play(lab):
    lab.endpoint()
    lab.dns()
    # nftables has no match for a string inside a packet.
    lab.router.tool("iptables", "-A", "FORWARD", "-p", "tcp", "--dport", "443", "-m", "string",
                    "--algo", "bm", "--string", CONSOLE, "-j", "DROP")
    return lab.check()
