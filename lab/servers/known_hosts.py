"""The hosts by which `check` knows the Internet, and the page that shows a portal. Their names are those of
the built-in table of src/check/probe_internet.c; what answers is nginx, in the lab's own internet."""

from lab.servers import nginx

HTTPS = {"deb.debian.org": "203.0.113.51", "www.iana.org": "203.0.113.52"}
PLAIN = ("network-test.debian.org", "203.0.113.53")
ONLINE = 'default_type text/plain; return 200 "NetworkManager is online\\n";'
WANTED = {"internet": "required"}  # of a profile


def serve(lab, plain=True):
    """Puts them on the internet; without `plain` nothing listens on port 80."""
    for name, address in HTTPS.items():
        lab.endpoint(name, address)
    name, address = PLAIN
    lab.names[name] = address
    if plain:
        nginx.serve(lab.internet, address, port=80, body=ONLINE)
