"""A line on which every third packet is overtaken by its successors: nothing is lost, and what is sent
twice for it is not loss."""

causes = []
look_alike = "path-lossy"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.slow_path(delay_ms=5, reorder_every=3)
    return lab.check()
