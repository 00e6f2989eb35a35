"""One of the hosts by which the Internet is known is down: the other one is enough."""

from lab.servers import known_hosts

causes = []


def play(lab):
    lab.endpoint()
    known_hosts.serve(lab)
    lab.dns()
    lab.firewall(f"ip daddr {known_hosts.HTTPS['deb.debian.org']} tcp dport 443 drop")
    return lab.check(profile=known_hosts.WANTED)
