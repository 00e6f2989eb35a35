"""docs/confusion.md is of the scenarios that exist now, and its picture belongs to it (row B6)."""

import re

from lab import catalogue, report
from lab.score import Result

HINT = "run ./dev lab --report"


def test_the_page_tells_of_every_scenario():
    page = report.PAGE.read_text()
    told = set(re.findall(r"\]\(\.\./lab/scenarios/(\w+)\.py\)", page))
    assert told == set(catalogue.names()), HINT


def test_each_scenario_stands_in_the_rows_of_its_causes():
    rows = {}
    for line in report.PAGE.read_text().splitlines():
        match = re.match(r"\| `([a-z0-9-]+)` \| .* \| .* \| (.*) \|$", line)
        if match:
            rows[match.group(1)] = set(re.findall(r"\[(\w+)\]", match.group(2)))
    for name in catalogue.names():
        for cause in catalogue.scenario(name).causes:
            assert name in rows.get(cause, ()), f"{name} is not in the row of {cause}: {HINT}"


def test_page_and_picture_have_no_wrong_cell():
    page, picture = report.PAGE.read_text(), report.PICTURE.read_text()
    assert "✗" not in page and "## Wrong" not in page, HINT
    summary = re.search(r"^\*\*(\d+ scenarios.*)\.\*\*$", page, re.M).group(1)
    assert summary.endswith(", 0 wrong") and summary in picture, HINT


def matrix(*results):
    return report.Matrix([Result(*each) for each in results])


def test_a_wrong_cell_is_seen(capsys):
    """The measure itself measures: missed, mistaken and extra causes each leave the diagonal."""
    right = matrix(("no_route", ["no-route"], ["no-route"]), ("healthy_direct", [], []))
    assert not right.wrong and right.cells(False) == 0
    wrong = matrix(("no_route", ["no-route"], ["dns-timeout"]), ("healthy_direct", [], ["path-lossy"]),
                   ("tls_reset", ["tls-reset"], []), ("dns_refused", ["dns-refused"], ["dns-refused"], ["exit code 0"]))
    assert len(wrong.wrong) == 4
    assert set(wrong.counts) == {("no-route", "dns-timeout"), ("nothing", "path-lossy"),
                                 ("tls-reset", "nothing"), ("dns-refused", "another fault")}
    twice = matrix(("no_route", ["no-route"], ["no-route", "no-route"]))
    assert twice.cells(False) == 1 and twice.wrong
    report.print_matrix(wrong)
    told = capsys.readouterr().out
    assert told.count("1!") == 4 and told.count("WRONG") == 4, told
    assert report.page(wrong).count("✗") == 4
