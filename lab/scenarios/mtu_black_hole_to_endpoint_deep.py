"""The walk passes, for all that it sends is small; whoever uploads will hang: full segments towards the
endpoint are lost in silence. With --deep that is a warning."""

from lab import path_mtu

causes = ["mtu-black-hole"]
look_alike = "clienthello-split-intolerant"
evidence = {"direction": "to the endpoint", "passing-mss": "1200", "clienthello-in-two": "passes",
            "passes-with": "a segment size (MSS) of 1200"}


def play(lab):
    lab.endpoint()
    lab.dns()
    path_mtu.narrow(lab, path_mtu.TOWARDS_INTERNET, 1280)
    check = lab.check(deep=True, deadline=8)
    check.expected_code = lambda causes: 4  # degraded: it works as far as it went
    return check
