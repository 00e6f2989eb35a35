"""A strict firewall on the client, in both directions, with sets, states and a rate: and it is right."""

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.client.nft("""
table inet strict {
	set resolvers {
		type ipv4_addr . inet_service
		flags interval
		elements = { 10.77.1.0/24 . 53 }
	}
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ct state established,related accept
		icmp type echo-request limit rate 5/second accept
	}
	chain output {
		type filter hook output priority filter; policy drop;
		oifname "lo" accept
		tcp flags & (fin|syn) == (fin|syn) drop
		ct state invalid drop
		ct state { established, related } accept
		meta l4proto { tcp, udp } ip daddr . th dport @resolvers accept
		tcp dport 443 ct state new accept
		reject with icmpx type admin-prohibited
	}
}
""")
    return lab.check()
