"""Listeners that misbehave below anything a real server can be told to do.

    python3 -m lab.servers.raw ADDRESS PORT BEHAVIOUR

silent  accepts, reads and never answers: real servers time out, close or answer an error
closes  reads the first bytes and closes in order (FIN): a real TLS server sends an alert first
resets  reads the first bytes and resets (RST): real servers close in order
ssh     greets as an SSH server does and waits, without needing an sshd and its host keys
portal  accepts and answers nothing but plain HTTP with a redirect, whatever the first bytes are
"""

import socket
import struct
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def serve(namespace, address, port, behaviour):
    argv = ["/usr/bin/python3", "-m", "lab.servers.raw", address, port, behaviour]
    process = namespace.popen(argv, cwd=ROOT, log=f"raw-{behaviour}")
    process.wait_for("^ready$")
    return process


def silent(connection):
    while connection.recv(65536):
        pass


def closes(connection):
    connection.recv(65536)


def resets(connection):
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def ssh(connection):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
    while connection.recv(65536):
        pass


def portal(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://login.hotel-wifi.example/\r\n"
                       b"Content-Length: 0\r\nConnection: close\r\n\r\n")


def handle(behaviour, connection):
    with connection:
        try:
            globals()[behaviour](connection)
        except OSError:
            pass


def main(address, port, behaviour):
    listener = socket.create_server((address, int(port)), backlog=256)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=handle, args=(behaviour, connection), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
