#!/usr/bin/env python3
"""`./dev test`: every suite, one after the other, and one line that sums them up.

A suite is a row of SUITES. Each prints its own output into build/test-logs/NAME.log; what failed is
shown. `./dev test NAME...` runs those suites alone, `./dev test --list` names them.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml


class Tally:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __add__(self, other):
        return Tally(self.passed + other.passed, self.failed + other.failed,
                     self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def of_junit(path):
    """The tally of a JUnit file: meson, pytest and node's test runner all write one."""
    passed = failed = skipped = 0
    for case in xml.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return Tally(passed, failed, skipped)


def of_exit(code):
    return Tally(passed=1) if code == 0 else Tally(failed=1)


class Suite:
    def __init__(self, name, about, argv, junit=None, env=None):
        self.name, self.about, self.argv, self.junit, self.env = name, about, argv, junit, env or {}


def pytest(junit, *paths, workers=4):
    return ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(workers),
            f"--junitxml={junit}", *paths]


def without(*modules):
    """What looks at more than one program's memory, and was run already."""
    return [f"--ignore=tests/integration/{module}.py" for module in modules]


def suites(build, logs):
    """In the order in which they run: the quick ones first."""
    sanitized = "build-asan"
    programs = {"SALLYPORT_BUILD": str(build.resolve()),
                "SALLYPORT_CONSOLE": str((build / "console").resolve())}
    sanitized_programs = {"SALLYPORT_BUILD": str(pathlib.Path(sanitized).resolve()),
                          "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1",
                          "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    return [
        Suite("unit", "cmocka: tables of rows for every module",
              ["meson", "test", "-C", str(build), "--print-errorlogs", "--no-rebuild"],
              junit=build / "meson-logs/testlog.junit.xml"),
        Suite("structure", "the includes point where the design says; the docs match the tables",
              pytest(logs / "structure.xml", "tests/structure", workers=0),
              junit=logs / "structure.xml", env=programs),
        Suite("browser", "Playwright in Debian's Chromium, against the real hub and agent",
              ["node", "--test", "--test-concurrency=2", "--test-reporter=junit",
               f"--test-reporter-destination={logs / 'browser.xml'}", "--test-reporter=spec",
               "--test-reporter-destination=stdout", *sorted(map(str, pathlib.Path(
                   "tests/browser").glob("*.test.mjs")))],
              junit=logs / "browser.xml", env=programs),
        Suite("integration", "real servers in network namespaces, against agent and hub",
              pytest(logs / "integration.xml", "tests/integration"),
              junit=logs / "integration.xml", env=programs),
        Suite("lab", "every cause's scenario and the healthy controls",
              pytest(logs / "lab.xml", "lab"), junit=logs / "lab.xml", env=programs),
        Suite("asan-build", "everything builds with ASan and UBSan",
              ["sh", "-ec", f"[ -f {sanitized}/build.ninja ] || meson setup {sanitized} "
               "-Db_sanitize=address,undefined -Db_lundef=false; "
               f"ninja -C {sanitized}"]),
        Suite("asan-unit", "the units again, with ASan and UBSan",
              ["meson", "test", "-C", sanitized, "--print-errorlogs", "--no-rebuild"],
              junit=pathlib.Path(sanitized) / "meson-logs/testlog.junit.xml",
              env=sanitized_programs),
        Suite("asan-lab", "lab and integration again, with ASan and UBSan",
              pytest(logs / "asan-lab.xml", "lab", "tests/integration", *without(
                  "test_packages", "test_chaos", "test_bench_fleet")),
              junit=logs / "asan-lab.xml", env=sanitized_programs),
        Suite("fuzz", "what reads a peer's bytes, fuzzed for a few seconds each with ASan and UBSan",
              ["./dev", "fuzz", "", "2"]),
        Suite("lint", "clang-format, clang-tidy, clang's warnings", ["./dev", "lint"]),
    ]


def run(suite, logs):
    """Runs one suite and returns its tally; a run that counted nothing is a failure."""
    log = logs / f"{suite.name}.log"
    if suite.junit:
        pathlib.Path(suite.junit).unlink(missing_ok=True)
    began = time.monotonic()
    with open(log, "wb") as sink:
        code = subprocess.run(suite.argv, stdout=sink, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, env={**os.environ, **suite.env}).returncode
    try:
        tally = of_junit(suite.junit) if suite.junit else of_exit(code)
    except (OSError, xml.ParseError):
        tally = Tally(failed=1)
    if not tally.passed + tally.failed + tally.skipped or (code and not tally.failed):
        tally = tally + Tally(failed=1)
    print(f"{suite.name:12} {tally}  ({time.monotonic() - began:.0f} s)", flush=True)
    text = log.read_text(errors="replace")
    if tally.failed:
        print("\n".join(text.splitlines()[-80:]), flush=True)
    if tally.skipped:
        # A skipped test says why.
        for line in re.findall(r"^SKIPPED .*|^.*# SKIP .*", text, re.M)[:20]:
            print(f"    {line}")
    return tally


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", default="build", type=pathlib.Path)
    arguments.add_argument("--list", action="store_true", help="name the suites")
    arguments.add_argument("names", nargs="*")
    options = arguments.parse_args()
    logs = options.build / "test-logs"
    logs.mkdir(parents=True, exist_ok=True)
    every = suites(options.build, logs)
    if options.list:
        for suite in every:
            print(f"{suite.name:12} {suite.about}")
        return 0
    unknown = set(options.names) - {suite.name for suite in every}
    if unknown:
        print(f"there is no suite {', '.join(sorted(unknown))}; see ./dev test --list", file=sys.stderr)
        return 2
    total = Tally()
    for suite in every:
        if not options.names or suite.name in options.names:
            total = total + run(suite, logs)
    print(total, flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
