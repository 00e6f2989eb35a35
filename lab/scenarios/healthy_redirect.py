"""The service sends browsers to the sign-in page of its owner's other domain."""

causes = []
look_alike = "captive-portal"


def play(lab):
    lab.endpoint(body="return 302 https://login.example.com/signin;")
    lab.dns()
    return lab.check()
