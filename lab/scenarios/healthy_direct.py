"""Nothing is broken: the client resolves, connects and is served."""

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    return lab.check()
