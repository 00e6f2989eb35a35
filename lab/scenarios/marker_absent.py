"""Something else answers at the endpoint's address: plain HTTP, no page, no redirect, another service."""

causes = ["marker-absent"]
look_alike = "block-page"


def play(lab):
    lab.endpoint(server="add_header X-Service other-product;")
    lab.dns()
    return lab.check({"marker": {"path": "/status", "status": 200,
                                 "header": {"name": "X-Service", "contains": "lab-console"}}})
