"""A hub with its own private CA, checked by a machine that has not joined: the proof stands in for the
certificate's CA (row B4)."""

from lab.fleet import Hub

causes = []
look_alike = "cert-untrusted"


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    return lab.check(hub=hub.url)
