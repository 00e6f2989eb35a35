"""The guest network answers plain HTTP itself, with its own page and without a redirect, and resets HTTPS."""

from lab.servers import known_hosts, nginx
from lab.world import PORTAL

causes = ["captive-portal"]
look_alike = "connect-refused"


def play(lab):
    lab.endpoint()
    known_hosts.serve(lab)
    nginx.serve(lab.site, PORTAL, port=80,
                body='default_type text/html; return 200 "<html>Room number and name, please</html>";')
    lab.dns()
    lab.redirect("tcp dport 80", PORTAL)
    lab.firewall('iifname "lan" tcp dport 443 reject with tcp reset')
    return lab.check(profile=known_hosts.WANTED)
