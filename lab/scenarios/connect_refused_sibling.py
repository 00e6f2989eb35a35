"""One of two endpoints refuses; the other one, on the same path, passes. One cause, one endpoint."""

causes = ["connect-refused"]
look_alike = "connect-prohibited"


def play(lab):
    lab.endpoint()
    lab.names["upload.lab.example"] = "203.0.113.12"
    lab.dns()
    return lab.check({}, {"host": "upload.lab.example"})
