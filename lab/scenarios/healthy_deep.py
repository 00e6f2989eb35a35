"""Nothing is broken, and a deep look finds nothing to say either."""

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    return lab.check(deep=True)
