"""A DNS server that fails on purpose, in ways that no setting of dnsmasq reaches.

SERVFAIL: dnsmasq passes on an upstream's, it makes none. TC without TCP: dnsmasq listens on both or on
none. Silent to some names: dnsmasq answers whatever it knows.

    python3 -m lab.servers.odd_dns ADDRESS BEHAVIOUR [NAME=IPV4 ...]
"""

import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def serve(namespace, address, behaviour, names=None):
    argv = ["/usr/bin/python3", "-m", "lab.servers.odd_dns", address, behaviour,
            *(f"{name}={value}" for name, value in (names or {}).items())]
    process = namespace.popen(argv, cwd=ROOT, log="odd_dns")
    process.wait_for("^ready$")
    return process


def answer(query, behaviour, names):
    """The reply to one query, or None for silence."""
    from dnslib import QTYPE, RCODE, RR, A, DNSRecord

    request = DNSRecord.parse(query)
    reply = request.reply()
    name = str(request.q.qname).rstrip(".").lower()
    if behaviour == "silent":
        return None
    if behaviour == "servfail":
        reply.header.rcode = RCODE.SERVFAIL
    elif behaviour == "truncated":
        reply.header.tc = 1
    elif name not in names:
        reply.header.rcode = RCODE.NXDOMAIN
    elif request.q.qtype == QTYPE.A:
        reply.add_answer(RR(name, QTYPE.A, rdata=A(names[name]), ttl=60))
    return reply.pack()


def main(address, behaviour, *pairs):
    names = dict(pair.split("=") for pair in pairs)
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((address, 53))
    print("ready", flush=True)
    while True:
        query, sender = listener.recvfrom(4096)
        reply = answer(query, behaviour, names)
        if reply:
            listener.sendto(reply, sender)


if __name__ == "__main__":
    main(*sys.argv[1:])
