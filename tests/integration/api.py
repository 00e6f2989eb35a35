"""The hub's API as a program of one's own meets it: a connection, and the stream of events."""

import http.client
import json
import ssl

from lab import net
from lab.world import HUB, HUB_NAME


def connect():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(HUB, 443, timeout=net.PATIENCE_S, context=context)


class Events:
    """The stream of events, from inside the hub's namespace; of the administrator, or with a key."""

    def __init__(self, hub, key=None):
        def open_stream():
            self.connection = connect()
            credentials = {"Authorization": f"Bearer {key}"} if key else {"Cookie": hub.cookie}
            self.connection.request("GET", "/v1/events", headers={"Host": HUB_NAME, **credentials})
            return self.connection.getresponse()

        hub.servers()  # signs in
        self.response = hub.namespace.inside(open_stream)
        assert self.response.getheader("Content-Type") == "text/event-stream"

    def rest(self):
        """What comes until the hub ends the stream; one that goes on ends in the connection's time-out."""
        return self.response.read().decode()

    def next(self, wanted, condition=lambda data: True):
        name = None
        while True:
            line = self.response.readline().decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[len("event: "):]
            elif line.startswith("data: ") and name == wanted:
                data = json.loads(line[len("data: "):])
                if condition(data):
                    return data
