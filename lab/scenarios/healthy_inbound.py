"""An SSH server listens and the firewall lets it in, by a set of ports, after jumps and a rate."""

from lab import inbound, own_firewall

causes = []
look_alike = None


def play(lab):
    inbound.ssh(lab)
    lab.client.nft("""
table inet fw {
	set services {
		type inet_service
		elements = { 22, 443 }
	}
	set barred {
		type ipv4_addr
		flags interval
		elements = { 192.0.2.0/24 }
	}
	chain services {
		ip saddr @barred drop
		ct state new limit rate over 50/second drop
		tcp dport @services accept
	}
	chain input {
		type filter hook input priority 0; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		iifname "lo" accept
		jump services
		reject with icmpx type admin-prohibited
	}
}
""")
    own_firewall.rules(lab, "ct state established,related accept", table="second")
    return inbound.check(lab)
