#!/usr/bin/env python3
"""`./dev test`: every suite, and one line that sums them up.

A suite is a row of suites(). Each prints its own output into build/test-logs/NAME.log; what failed is
shown. `./dev test NAME...` runs those suites alone, `./dev test --list` names them.

Suites run one after the other, but for those that only compute: they go beside the others, whose tests
mostly wait, and leave them the processors (nice). A test that fails is run once more, alone: when it
passes then, the run passes and names it as unsteady at the end, for somebody to mend.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml


AGAIN_MOST = 5  # more failures than this are no accident


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


def failed_in(path):
    """The failed tests of a JUnit file, as (class name, name)."""
    return [(case.get("classname", ""), case.get("name")) for case in xml.parse(path).getroot().iter("testcase")
            if case.find("failure") is not None or case.find("error") is not None]


def of_exit(code):
    return Tally(passed=1) if code == 0 else Tally(failed=1)


class Suite:
    """`again` turns failed tests into the command that runs them alone; `beside`: it only computes."""

    def __init__(self, name, about, argv, junit=None, env=None, again=None, beside=False):
        self.name, self.about, self.argv, self.junit, self.env = name, about, argv, junit, env or {}
        self.again, self.beside = again, beside


def pytest(junit, *paths, workers=4):
    return ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(workers),
            f"--junitxml={junit}", *paths]


def pytest_again(junit):
    return lambda failed: pytest(
        junit, *(f"{module.replace('.', '/')}.py::{name}" for module, name in failed), workers=0)


def meson(build, *names):
    return ["meson", "test", "-C", str(build), "--print-errorlogs", "--no-rebuild", *names]


def meson_again(build):
    return lambda failed: meson(build, *(name for _, name in failed))


def node(junit, *options):
    return ["node", "--test", "--test-concurrency=2", "--test-reporter=junit",
            f"--test-reporter-destination={junit}", "--test-reporter=spec",
            "--test-reporter-destination=stdout", *options,
            *sorted(map(str, pathlib.Path("tests/browser").glob("*.test.mjs")))]


def node_again(junit):
    return lambda failed: node(junit, *(
        "--test-name-pattern=/^" + re.sub(r"([^\w ,;:])", r"\\\1", name) + "$/" for _, name in failed))


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
              meson(build), junit=build / "meson-logs/testlog.junit.xml", again=meson_again(build)),
        Suite("structure", "the includes point where the design says; the docs match the tables",
              pytest(logs / "structure.xml", "tests/structure", workers=0),
              junit=logs / "structure.xml", env=programs, again=pytest_again(logs / "structure.xml")),
        Suite("browser", "Playwright in Debian's Chromium, against the real hub and agent",
              node(logs / "browser.xml"), junit=logs / "browser.xml", env=programs,
              again=node_again(logs / "browser.xml")),
        Suite("integration", "real servers in network namespaces, against agent and hub",
              pytest(logs / "integration.xml", "tests/integration"),
              junit=logs / "integration.xml", env=programs, again=pytest_again(logs / "integration.xml")),
        Suite("lab", "every cause's scenario and the healthy controls",
              pytest(logs / "lab.xml", "lab"), junit=logs / "lab.xml", env=programs,
              again=pytest_again(logs / "lab.xml")),
        Suite("asan-build", "everything builds with ASan and UBSan",
              ["sh", "-ec", f"[ -f {sanitized}/build.ninja ] || meson setup {sanitized} "
               "-Db_sanitize=address,undefined -Db_lundef=false; "
               f"ninja -C {sanitized}"], beside=True),
        Suite("asan-unit", "the units again, with ASan and UBSan",
              meson(sanitized), junit=pathlib.Path(sanitized) / "meson-logs/testlog.junit.xml",
              env=sanitized_programs, again=meson_again(sanitized)),
        Suite("asan-lab", "lab and integration again, with ASan and UBSan",
              pytest(logs / "asan-lab.xml", "lab", "tests/integration", *without(
                  "test_packages", "test_chaos", "test_bench_fleet", "test_portable", "test_setup",
                  "test_install", "test_install_command", "test_install_outcomes", "test_install_secrets")),
              junit=logs / "asan-lab.xml", env=sanitized_programs,
              again=pytest_again(logs / "asan-lab.xml")),
        Suite("fuzz", "what reads a peer's bytes, fuzzed for a few seconds each with ASan and UBSan",
              ["./dev", "fuzz", "", "2"], beside=True),
        Suite("lint", "clang-format, clang-tidy, clang's warnings", ["./dev", "lint"], beside=True),
    ]


def count(suite, argv, log, mode="wb"):
    """The tally of one command; a run that counted nothing is a failure."""
    if suite.junit:
        pathlib.Path(suite.junit).unlink(missing_ok=True)
    with open(log, mode) as sink:
        code = subprocess.run((["nice", "-n", "19"] if suite.beside else []) + argv, stdout=sink,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              env={**os.environ, **suite.env}).returncode
    try:
        tally = of_junit(suite.junit) if suite.junit else of_exit(code)
    except (OSError, xml.ParseError):
        tally = Tally(failed=1)
    if not tally.passed + tally.failed + tally.skipped or (code and not tally.failed):
        tally = tally + Tally(failed=1)
    return tally


def look_again(suite, tally, log):
    """(tally, names): the failed tests alone, once more; `names` are those that passed then."""
    if not suite.again or not 0 < tally.failed <= AGAIN_MOST:
        return tally, []
    try:
        failed = failed_in(suite.junit)
    except (OSError, xml.ParseError):
        return tally, []
    if len(failed) != tally.failed:
        return tally, []
    second = count(suite, suite.again(failed), log, "ab")
    if second.failed or second.passed < len(failed):
        return tally, []
    return Tally(tally.passed + tally.failed, 0, tally.skipped), [name for _, name in failed]


def run(suite, logs):
    """(tally, unsteady tests, seconds)"""
    log = logs / f"{suite.name}.log"
    began = time.monotonic()
    tally, unsteady = look_again(suite, count(suite, suite.argv, log), log)
    return tally, unsteady, time.monotonic() - began


def tell(suite, logs, tally, unsteady, seconds):
    print(f"{suite.name:12} {tally}  ({seconds:.0f} s{', beside' if suite.beside else ''})", flush=True)
    text = (logs / f"{suite.name}.log").read_text(errors="replace")
    for name in unsteady:
        print(f"    unsteady: {name} failed, and passed alone", flush=True)
    if tally.failed:
        print("\n".join(text.splitlines()[-80:]), flush=True)
    if tally.skipped:
        # A skipped test says why.
        for line in re.findall(r"^SKIPPED .*|^.*# SKIP .*", text, re.M)[:20]:
            print(f"    {line}")


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
    chosen = [suite for suite in every if not options.names or suite.name in options.names]
    total, unsteady = Tally(), []
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as beside:
        started = {suite: beside.submit(run, suite, logs) for suite in chosen if suite.beside}
        for suite in chosen:
            tally, names, seconds = started[suite].result() if suite in started else run(suite, logs)
            tell(suite, logs, tally, names, seconds)
            total, unsteady = total + tally, unsteady + names
    if unsteady:
        print(f"unsteady, to be mended: {', '.join(unsteady)}", flush=True)
    print(total, flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
