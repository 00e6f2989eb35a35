"""squid forbids everything but the endpoint: it passes, the Internet is forbidden."""

from lab.servers import known_hosts
from lab.world import CONSOLE, PROXY

causes = ["proxy-denied"]
look_alike = "proxy-upstream-connect"
evidence = {"endpoint": "deb.debian.org:443, www.iana.org:443"}


def play(lab):
    lab.endpoint()
    known_hosts.serve(lab)
    lab.dns()
    lab.squid(f"acl allowed dstdomain {CONSOLE}\nhttp_access deny !allowed\n")
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"}, profile=known_hosts.WANTED)
