"""An SSH server listens; the legacy iptables reject new connections in a chain of their own."""

from lab import inbound, own_firewall

causes = ["inbound-filtered"]
look_alike = "inbound-closed"
evidence = {"rule": "-A guard -p tcp -m multiport --dports 21,22 -j REJECT", "verdict": "rejects"}


def play(lab):
    inbound.ssh(lab)
    own_firewall.iptables(
        lab, "-N guard", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A INPUT -i eth+ -j guard", "-A guard -p tcp -m multiport --dports 21,22 -j REJECT")
    return inbound.check(lab)
