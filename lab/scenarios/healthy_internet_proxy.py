"""Behind squid, which resolves too: the Internet is asked for through it, and nothing goes out directly."""

from lab.servers import known_hosts
from lab.world import PROXY

causes = []


def play(lab):
    lab.endpoint()
    known_hosts.serve(lab)
    lab.dns()
    lab.squid()
    lab.only_proxy()
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128"}, profile=known_hosts.WANTED)
