"""The endpoint, two hosts of the Internet and external DNS, all direct. Port 80 is closed, which says nothing."""

from lab.servers import known_hosts

causes = []


def play(lab):
    lab.endpoint()
    known_hosts.serve(lab, plain=False)
    lab.dns()
    return lab.check(profile={**known_hosts.WANTED, "dns": {"external": "required"}})
