"""`./dev lab --report`: every scenario, and the confusion matrix of what was broken and what was named.

Prints one small matrix a stage, and writes the whole into docs/confusion.md with a picture of the square
beside it. Ends with 1 when a cell is wrong. Neither page nor picture holds anything that a later run of
the same scenarios would change.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from lab import catalogue, picture, programs, reports, score
from lab.score import FAULT, NOTHING

PAGE = programs.ROOT / "docs/confusion.md"
PICTURE = programs.ROOT / "docs/images/confusion.svg"
STAGES = ("host", "resolve", "connect", "tunnel", "secure", "hello", "session")

# What the lab is made of: name, how to ask for the version, where it stands in the answer.
SOFTWARE = (
    ("Linux", ("uname", "-r"), r"^(\d+\.\d+)"),
    ("nftables", ("nft", "--version"), r"v(\S+)"),
    ("iptables", ("iptables", "--version"), r"v(\S+)"),
    ("squid", ("squid", "-v"), r"Version (\S+)"),
    ("tinyproxy", ("tinyproxy", "-v"), r"tinyproxy (\S+)"),
    ("mitmproxy", ("mitmdump", "--version"), r"Mitmproxy: (\S+)"),
    ("dnsmasq", ("dnsmasq", "--version"), r"version (\S+)"),
    ("unbound", ("unbound", "-V"), r"Version (\S+)"),
    ("nginx", ("nginx", "-v"), r"nginx/(\S+)"),
    ("OpenSSL", ("openssl", "version"), r"OpenSSL (\S+)"),
    ("systemd-networkd", ("networkctl", "--version"), r"systemd (\S+)"),
    ("NetworkManager", ("NetworkManager", "--version"), r"^(\S+)"),
    ("dhclient", ("dhclient", "--version"), r"isc-dhclient-(\S+)"),
    ("dhcpcd", ("dhcpcd", "--version"), r"dhcpcd (\S+)"),
    ("udhcpc (busybox)", ("busybox",), r"BusyBox v(\S+)"),
)


def version(argv, pattern):
    """None when the program is not here."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120,
                              env={"PATH": path, "HOME": "/nonexistent", "LANG": "C.UTF-8"})
    except OSError:
        return None
    match = re.search(pattern, done.stdout + done.stderr, re.M)
    return match.group(1) if match else None


def run(names, workers):
    """Plays them as the test suite does; returns the Results, in the order of the names."""
    with tempfile.TemporaryDirectory(prefix="sallyport-lab-") as folder:
        selected = [f"lab/test_scenarios.py::test_scenario[{name}]" for name in names]
        done = subprocess.run(
            ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(workers),
             "--tb=short", *selected], cwd=programs.ROOT,
            env={**os.environ, score.KEPT_IN: folder}, capture_output=True, text=True)
        results = score.kept(folder, names)
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-100:]), file=sys.stderr)
    return results


class Matrix:
    """The cells with their counts, and the causes in the order in which a machine walks out."""

    def __init__(self, results):
        self.results = results
        known = programs.causes()
        met = {cause for result in results for cell in result.cells() for cause in cell}
        self.causes = [NOTHING] + [cause for stage in STAGES for cause, (where, _) in known.items()
                                   if where == stage and cause in met] + [FAULT] * (FAULT in met)
        self.stage = {cause: where for cause, (where, _) in known.items()}
        self.number = {cause: number for number, cause in enumerate(self.causes)}
        self.counts = Counter(cell for result in results for cell in result.cells())

    @property
    def healthy(self):
        return [result for result in self.results if not result.broken]

    @property
    def wrong(self):
        return [result for result in self.results if not result.right]

    def cells(self, right):
        return sum((broken == named) == right for broken, named in self.counts)

    def of_stage(self, stage):
        return [cause for cause in self.causes if self.stage.get(cause) == stage]

    def columns(self, rows):
        """What was named where one of these was broken: no empty column."""
        return [cause for cause in self.causes if any((row, cause) in self.counts for row in rows)]

    def summary(self):
        return (f"{len(self.results)} scenarios, {len(self.healthy)} of them healthy controls; "
                f"{self.cells(True)} right cells, {self.cells(False)} wrong")


# --- on a terminal -------------------------------------------------------------------------------

def print_matrix(matrix):
    width = max(map(len, matrix.causes)) + 4
    for stage, rows in [("healthy controls", [NOTHING]),
                        *((stage, matrix.of_stage(stage)) for stage in STAGES)]:
        columns = matrix.columns(rows)
        if not columns:
            continue
        print(f"\n{stage:{width}}" + "".join(f"{matrix.number[cause]:5}" for cause in columns))
        for row in rows:
            if not matrix.columns([row]):
                continue  # only ever named, never broken
            cells = ""
            for column in columns:
                count = matrix.counts[(row, column)]
                cells += f"{count if count else '.':>5}" if row == column or not count else f"{count:>4}!"
            print(f"{matrix.number[row]:3} {row:{width - 4}}{cells}")
        for cause in columns:
            if cause not in rows:
                print(f"    column {matrix.number[cause]} is {cause}")
    print(f"\n{matrix.summary()}")
    for result in matrix.wrong:
        print(f"WRONG  {result.name}: broken {', '.join(result.broken) or NOTHING}; named "
              f"{', '.join(result.named) or NOTHING}{'; ' * bool(result.faults)}"
              f"{'; '.join(result.faults)}")


# --- as a page -----------------------------------------------------------------------------------

def link(name):
    return f"[{name}](../lab/scenarios/{name}.py)"


def first_sentence(name):
    text = " ".join(catalogue.scenario(name).__doc__.split())
    return re.split(r"(?<=[.:;]) ", text, maxsplit=1)[0].rstrip(".:;").replace("|", "\\|")


def named_cell(matrix, row):
    words = []
    for column in matrix.columns([row]):
        count = matrix.counts[(row, column)]
        name = column if column == NOTHING else f"`{column}`"
        words.append(f"{name} × {count}" if row == column else f"**✗ {name} × {count}**")
    return ", ".join(words)


def stage_table(matrix, stage):
    lines = [f"## {stage}", "", "| was broken | was named | must not be taken for | scenarios |",
             "|---|---|---|---|"]
    for row in matrix.of_stage(stage):
        shown = [result.name for result in matrix.results if row in result.broken]
        others = sorted({catalogue.scenario(name).look_alike for name in shown} - {None})
        lines.append(f"| `{row}` | {named_cell(matrix, row)} | "
                     f"{', '.join(f'`{other}`' for other in others)} | {', '.join(map(link, shown))} |")
    return lines


def page(matrix):
    several = [result for result in matrix.results if len(result.broken) > 1]
    lines = [
        "# What was broken, and what was named", "",
        "The fault lab (`lab/`) builds broken networks out of network namespaces and real servers, runs "
        "`sallyport` in", "them and compares the causes that it names with what was broken. "
        "`./dev lab --report` makes this page.", "",
        f"**{matrix.summary()}.**", "",
        "A row is what was broken, a column what was named; a count off the diagonal is a wrong cell, and red. A "
        "scenario", "counts as right only if it names every root cause and nothing besides.", "",
        "![The confusion matrix: every count stands on the diagonal](images/confusion.svg)"
        if not matrix.cells(False) else
        "![The confusion matrix; the red cells are wrong](images/confusion.svg)", "",
    ]
    for stage in STAGES:
        if matrix.of_stage(stage):
            lines += [*stage_table(matrix, stage), ""]
    if several:
        lines += ["## Several faults at once", "", "| scenario | was broken | was named |", "|---|---|---|"]
        lines += [f"| {link(result.name)} | {', '.join(f'`{cause}`' for cause in result.broken)} | "
                  f"{', '.join(f'`{cause}`' for cause in result.named)} |" for result in several]
        lines.append("")
    lines += ["## Healthy controls", "", "Nothing is broken in these, and nothing may be named.", "",
              "| scenario | what stands there | named |", "|---|---|---|"]
    for result in matrix.healthy:
        told = ", ".join(f"**✗ `{cause}`**" for cause in result.named) or NOTHING
        lines.append(f"| {link(result.name)} | {first_sentence(result.name)} | {told} |")
    if matrix.wrong:
        lines += ["", "## Wrong", ""]
        lines += [f"- {link(result.name)}: {'; '.join(result.faults) or 'another cause was named'}"
                  for result in matrix.wrong]
    versions = [(name, version(argv, pattern)) for name, argv, pattern in SOFTWARE]
    lines += ["", "## What the lab is made of", "", "| software | version |", "|---|---|"]
    lines += [f"| {name} | {found} |" for name, found in versions if found]
    return "\n".join(lines) + "\n"


# --- the command ---------------------------------------------------------------------------------

def main():
    arguments = argparse.ArgumentParser(prog="./dev lab --report", description=__doc__.splitlines()[0])
    arguments.add_argument("names", nargs="*", help="these scenarios alone; the page then stays as it is")
    arguments.add_argument("--workers", type=int, default=4)
    options = arguments.parse_args()
    unknown = set(options.names) - set(catalogue.names())
    if unknown:
        arguments.error(f"there is no scenario {', '.join(sorted(unknown))}")
    began = time.monotonic()
    results = run(sorted(options.names) or catalogue.names(), options.workers)
    matrix = Matrix(results)
    print_matrix(matrix)
    slowest = max(results, key=lambda result: result.seconds)
    print(f"{time.monotonic() - began:.0f} s; the longest is {slowest.name} with {slowest.seconds:.1f} s")
    if not options.names:
        PAGE.write_text(page(matrix))
        PICTURE.write_text(picture.draw(matrix))
        print(f"written: {PAGE.relative_to(programs.ROOT)}, {PICTURE.relative_to(programs.ROOT)}")
        reports.write()
    return 1 if matrix.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
