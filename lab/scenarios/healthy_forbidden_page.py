"""The service itself answers 403 with a page of HTML to whoever asks without a key, as many do."""

causes = []
look_alike = "block-page"


def play(lab):
    lab.endpoint(body="return 403;")
    lab.dns()
    return lab.check()
