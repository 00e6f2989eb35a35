"""Planted secrets: how they might be written down, and the places where they are looked for."""

import base64
import json
import threading
import urllib.parse
from pathlib import Path

from lab import net


def forms(secret, *pairs):
    """A secret as it might be written down: as it is, percent-encoded, in base64, in hexadecimal, and
    as part of Basic credentials."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    shapes = {raw, base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"="),
              raw.hex().encode(), raw.hex().upper().encode()}
    if isinstance(secret, str):
        shapes |= {urllib.parse.quote(secret, safe="").encode(), urllib.parse.quote(secret).encode(),
                   json.dumps(secret)[1:-1].encode()}
    for pair in pairs:
        shapes.add(base64.b64encode(pair.encode()).rstrip(b"="))
    return shapes


def token_secret(token):
    """wire/token.h: version 1 | hub key hash 32 | secret 16 | ..."""
    text = token.split(".", 1)[1]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[33:49]


def found(where, needles):
    return [(name, needle) for name, content in where.items() for needle in needles
            if needle in content and not name.endswith("proxy.env")]


def files_below(*folders):
    return {str(path): net.content(path) for folder in folders for path in folder.rglob("*")
            if path.is_file()}


class CommandLines(threading.Thread):
    """Keeps what every process of this machine showed in its arguments (and `environ`, where asked) while a test ran."""

    def __init__(self, files=("cmdline",)):
        super().__init__(daemon=True)
        self.files, self.seen, self.over = files, set(), threading.Event()

    def run(self):
        while not self.over.wait(0.002):
            for folder in Path("/proc").glob("[0-9]*"):
                for file in self.files:
                    try:
                        self.seen.add((folder / file).read_bytes())
                    except OSError:
                        pass

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def memory(pid):
    """All that a process can write to, as it is now."""
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if "w" in rights:
                try:
                    mem.seek(start)
                    found.append(mem.read(end - start))
                except (OSError, ValueError, OverflowError):
                    pass  # what the kernel keeps there for itself
    return b"".join(found)
