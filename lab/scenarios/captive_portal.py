"""A portal that holds a certificate for the name redirects every request to its sign-in page."""

causes = ["captive-portal"]
look_alike = "marker-absent"


def play(lab):
    lab.endpoint(body="return 302 http://login.hotel-wifi.example/welcome?mac=02;")
    lab.dns()
    return lab.check({"marker": {"path": "/status", "status": 200,
                                 "header": {"name": "X-Service", "contains": "lab-console"}}})
