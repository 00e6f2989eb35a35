"""The endpoint proves by a header which service it is, as the profile demands."""

causes = []
look_alike = "marker-absent"


def play(lab):
    lab.endpoint(server="add_header X-Service lab-console-7;")
    lab.dns()
    return lab.check({"marker": {"path": "/x", "status": 200,
                                 "header": {"name": "X-Service", "contains": "lab-console"}}})
