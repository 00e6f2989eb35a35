"""Three of four services run; at the fourth's address nothing listens."""

from lab.world import four_endpoints

causes = ["connect-refused"]
look_alike = "connect-prohibited"


def play(lab):
    endpoints = four_endpoints(lab, without=("upload",))
    lab.dns()
    return lab.check(*endpoints)
