"""A hub whose four endpoint roles are at four names (row S6), all of which can be reached."""

from lab.fleet import FourHub

causes = []
look_alike = "upgrade-filtered"


def play(lab):
    hub = FourHub(lab).start()
    lab.dns()
    return lab.check(hub=hub.url)
