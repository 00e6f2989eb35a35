"""Two things that only warn: the first DNS server is dead, and the hosts file has an old address for a
service, which still answers there."""

from lab.world import CONSOLE, DNS, DNS2, ENDPOINT, four_endpoints

causes = ["dns-first-server-dead", "hosts-file-stale"]
look_alike = "dns-timeout"

OLD_ADDRESS = "203.0.113.11"


def play(lab):
    endpoints = four_endpoints(lab)
    lab.endpoint(CONSOLE, OLD_ADDRESS)
    lab.names[CONSOLE] = ENDPOINT
    lab.dns()
    lab.site.nft(f"table ip dead {{\n\tchain in {{\n\t\ttype filter hook input priority 0;\n"
                 f"\t\tip daddr {DNS2} drop\n\t}}\n}}\n")
    lab.resolvers(DNS2, DNS)
    lab.hosts({CONSOLE: OLD_ADDRESS})
    return lab.check(*endpoints, deadline=12)
