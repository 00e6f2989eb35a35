"""A cable in user space: two TAP devices, and between them what a long or bad line does.

    python3 -m lab.relay DEVICE OTHER_NAMESPACE DELAY_MS LOSE_EVERY REORDER_EVERY

Runs in one namespace and reaches into the other. Every frame is late by DELAY_MS in each direction;
of those that carry a TCP segment or a datagram, every LOSE_EVERY-th is lost and every
REORDER_EVERY-th comes after its successors (0: none). By count and not by chance, so that a play
ends the same way each time. It is here because these kernels have no netem.
"""

import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
CLONE_NEWNET = 0x40000000
FRAME_MAX = 65536
IPV4 = b"\x08\x00"
LATE_S = 0.015  # how much later a frame comes that is overtaken


def connect(left, right, device, delay_ms=40, lose_every=0, reorder_every=0):
    """Lays the cable between two namespaces of the lab; each gets a device of that name, which is up.
    Returns the process that is the cable."""
    process = left.popen(["/usr/bin/python3", "-m", "lab.relay", device, right.name, delay_ms,
                          lose_every, reorder_every], cwd=ROOT, log="relay")
    process.wait_for("^ready$")
    return process


def open_tap(device):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", device, "up"], check=True)
    return fd


def enter(namespace):
    with open(f"/run/netns/{namespace}", "rb") as fd:
        if ctypes.CDLL(None, use_errno=True).setns(fd.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")


class Direction:
    """Frames on their way from one device to the other."""

    def __init__(self, source, sink, delay, lose_every, reorder_every):
        self.source, self.sink, self.delay = source, sink, delay
        self.lose_every, self.reorder_every = lose_every, reorder_every
        self.count = 0

    def take(self, waiting):
        """Reads what has come; puts (due, number, sink, frame) into the heap."""
        while True:
            try:
                frame = os.read(self.source, FRAME_MAX)
            except BlockingIOError:
                return
            late = 0
            if frame[12:14] == IPV4:
                self.count += 1
                if self.lose_every and self.count % self.lose_every == 0:
                    continue
                if self.reorder_every and self.count % self.reorder_every == 0:
                    late = LATE_S
            now = time.monotonic()
            heapq.heappush(waiting, (now + self.delay + late, now, self.sink, frame))


def relay(left, right, delay_ms, lose_every, reorder_every):
    waiting = []
    directions = {source: Direction(source, sink, delay_ms / 1000, lose_every, reorder_every)
                  for source, sink in ((left, right), (right, left))}
    while True:
        pause = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for source in select.select(directions, [], [], pause)[0]:
            directions[source].take(waiting)
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, sink, frame = heapq.heappop(waiting)
            try:
                os.write(sink, frame)
            except OSError:
                pass  # the device is down or full: what a cable does then is lose it


def main(device, other, *numbers):
    left = open_tap(device)
    enter(other)
    right = open_tap(device)
    print("ready", flush=True)
    relay(left, right, *(int(number) for number in numbers))


if __name__ == "__main__":
    main(*sys.argv[1:])
