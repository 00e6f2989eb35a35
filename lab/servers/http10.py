"""Python's own web server behind TLS: it answers in HTTP/1.0, without a length, and ends with the
connection, as old appliances do.

    python3 -m lab.servers.http10 ADDRESS PORT CERT KEY
"""

import http.server
import ssl
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def serve(namespace, address, certificate, port=443):
    folder = namespace.folder / f"http10-{address}-{port}"
    folder.mkdir()
    (folder / "cert.pem").write_text(certificate.chain_pem)
    (folder / "key.pem").write_text(certificate.key_pem)
    process = namespace.popen(["/usr/bin/python3", "-m", "lab.servers.http10", address, port,
                               folder / "cert.pem", folder / "key.pem"], cwd=ROOT, log="http10")
    process.wait_for("^ready$")
    return process


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here\n")

    do_HEAD = do_GET


def main(address, port, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer((address, int(port)), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
