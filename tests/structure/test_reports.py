"""docs/reports.md shows what `check` prints: the scenarios that it names, with their causes."""

import re

from lab import catalogue, reports

HINT = "run ./dev lab --report"


def test_every_report_names_its_causes_and_what_to_do():
    sections = re.split(r"^## ", reports.PAGE.read_text(), flags=re.M)[1:]
    assert len(sections) == len(reports.SHOWN) == 5, HINT
    for (name, heading, _), section in zip(reports.SHOWN, sections):
        assert section.startswith(heading) and f"lab/scenarios/{name}.py" in section, HINT
        causes = catalogue.scenario(name).causes
        assert section.count("What to do (") == len(causes), HINT
        for cause in causes:
            assert re.search(rf"^  \d\. {cause}, met at ", section, re.M), f"{name}: {cause}: {HINT}"
