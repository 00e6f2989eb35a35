"""A firewall forgets connections that are idle for two seconds; `--deep` finds that out, and how long it is."""

causes = ["idle-timeout"]
look_alike = "connect-timeout"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.forgetful(2)
    return lab.check(deep=True, deadline=14)
