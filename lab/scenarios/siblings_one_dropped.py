"""A firewall drops one of four endpoints; the report says that the others connect."""

from lab.world import FOUR, four_endpoints

causes = ["connect-timeout"]
look_alike = "no-route"
evidence = {"siblings": "console.lab.example, discovery.lab.example, session.lab.example connect",
            "address": FOUR["upload"]}


def play(lab):
    endpoints = four_endpoints(lab)
    lab.dns()
    lab.firewall(f"ip daddr {FOUR['upload']} tcp dport 443 drop")
    return lab.check(*endpoints)
