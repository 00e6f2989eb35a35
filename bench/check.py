"""What a check costs: the original profile, its four endpoints healthy behind a line with 80 ms there and
back, against one of them walked alone and against curl getting one of them over the same line.

The world is the lab's: network namespaces, nginx, and a cable in user space (lab/relay.py). Needs root.
"""
import pathlib
import statistics
import sys

import yaml

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP))

DELAY_MS = 40  # in each direction
MEMORY_KIB = 12 * 1024
RATIO = 1.3


class CheckBench:
    """`row` as of run.Bench: takes note of a figure and prints it."""

    def __init__(self, build, row, runs):
        self.build, self.row, self.runs = build, row, runs

    def run(self):
        from lab.scenarios import healthy_original_profile as original
        from lab.world import Lab

        with Lab() as lab:
            profile = original.furnish(lab)
            self.trust_as_much_as_a_real_machine(lab)
            lab.slow_path(delay_ms=DELAY_MS)
            self.measure(lab, original.PROFILE, profile["endpoints"])

    @staticmethod
    def trust_as_much_as_a_real_machine(lab):
        """The lab's CA among the hundred and forty of Debian, in both places."""
        from lab import ca

        bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
        lab.trust(ca.Trusted(bundle.read_text()))
        for root in pathlib.Path("/usr/share/ca-certificates/mozilla").glob("*.crt"):
            (lab.folder / "public" / root.name).write_bytes(root.read_bytes())

    def check(self, lab, profile):
        return [self.build / "sallyport", "check", "--root", lab.root, "--profile", profile,
                "--format", "json"]

    def timed(self, lab, runs, *argv):
        """Milliseconds and KiB of each run."""
        out = lab.client.tool(*map(str, [self.build / "bench/timed", runs, *argv]))
        rows = [line.split() for line in out.splitlines()]
        if {code for _, _, code in rows} != {"0"}:
            sys.exit(f"bench: {' '.join(map(str, argv))} ended with {sorted({row[2] for row in rows})}")
        return [float(row[0]) for row in rows], [int(row[1]) for row in rows]

    def alone(self, lab, endpoint):
        path = lab.folder / f"{endpoint['id']}.yaml"
        path.write_text(yaml.safe_dump({"profile": "one", "title": "One endpoint", "endpoints": [endpoint]}))
        return self.timed(lab, self.runs, *self.check(lab, path))[0]

    def measure(self, lab, profile, endpoints):
        whole = self.check(lab, profile)
        self.timed(lab, 1, *whole)  # neighbours on the cable get to know each other
        total, memory = self.timed(lab, self.runs, *whole)
        slowest = max((self.alone(lab, endpoint) for endpoint in endpoints), key=statistics.median)
        curl, _ = self.timed(lab, self.runs, "curl", "-s", "-o", "/dev/null",
                             f"https://{endpoints[0]['host']}/")
        self.row("check, original profile, 80 ms round trip", total, slowest, "ms",
                 "the slowest of them walked alone", f"ratio {RATIO}")
        self.row("the same", total, curl, "ms", "curl GET of one of them", f"ratio {RATIO}")
        self.row("check: memory at its peak", memory, None, "KiB", target=str(MEMORY_KIB))
