"""A guest network: plain HTTP is sent to the sign-in page, HTTPS is dropped until somebody has signed in. What
the endpoint meets is the portal's doing."""

from lab.servers import known_hosts, nginx
from lab.world import PORTAL

causes = ["captive-portal"]
look_alike = "connect-timeout"
evidence = {"location": "login.hotel-wifi.example", "also-met-as": "connect-timeout"}


def play(lab):
    lab.endpoint()
    known_hosts.serve(lab)
    nginx.serve(lab.site, PORTAL, port=80, body="return 302 http://login.hotel-wifi.example/?mac=02;")
    lab.dns()
    lab.redirect("tcp dport 80", PORTAL)
    lab.firewall('iifname "lan" tcp dport 443 drop')
    return lab.check(profile=known_hosts.WANTED)
