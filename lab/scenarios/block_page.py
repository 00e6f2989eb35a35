"""A filter with a certificate for the name answers with a page of its own."""

BLOCKED = '''default_type text/html; add_header Via "1.1 gate.corp.example (FortiGate)";
return 403 "<html><head><title>Access Denied</title></head><body>Blocked by policy</body></html>";'''

causes = ["block-page"]
look_alike = "captive-portal"


def play(lab):
    lab.endpoint(body=BLOCKED)
    lab.dns()
    return lab.check({"marker": {"path": "/status", "status": 200,
                                 "header": {"name": "X-Service", "contains": "lab-console"}}})
