"""The same in iptables-nft, whose conditions nft itself cannot show: they are read from iptables' own words."""

from lab import inbound, own_firewall

causes = ["inbound-filtered"]
look_alike = "inbound-closed"
evidence = {"rule": "-A INPUT -p tcp -m multiport --dports 21,22 -j DROP", "verdict": "drops"}


def play(lab):
    inbound.ssh(lab)
    own_firewall.iptables(
        lab, "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A INPUT -p tcp -m multiport --dports 21,22 -j DROP", program="iptables-nft")
    return inbound.check(lab)
