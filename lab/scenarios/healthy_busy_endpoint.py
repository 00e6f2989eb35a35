"""The endpoint is busy: two hundred others are connected, and an answer takes a second (and is 404)."""

from lab.world import CONSOLE, ENDPOINT

causes = []
look_alike = "tls-stalled"

CROWD = 200


def play(lab):
    lab.endpoint(http="limit_req_zone $server_addr zone=all:1m rate=1r/s;", server="limit_req zone=all burst=9;",
                 body="root /nonexistent;")
    lab.dns()
    lab.crowd = lab.internet.inside(connect_many)
    lab.site.tool("curl", "-sS", "--resolve", f"{CONSOLE}:443:{ENDPOINT}", "-k", f"https://{CONSOLE}/")
    return lab.check(deadline=8)


def connect_many():
    import socket

    return [socket.create_connection((ENDPOINT, 443), 2) for _ in range(CROWD)]
