"""Every report is held against docs/report.schema.json; the validator is made once a process."""

import functools
import json
from pathlib import Path

import jsonschema

SCHEMA = Path(__file__).resolve().parents[1] / "docs/report.schema.json"


@functools.cache
def validator():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def problems(report):
    """What does not fit, a line each; and references that lead nowhere, which no schema can say."""
    found = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
             for error in validator().iter_errors(report)]
    if not found:
        ids = {requirement["id"] for requirement in report["requirements"]}
        causes = {cause["id"] for cause in report["causes"]}
        found += [f"{cause['id']} affects {id}, which is no requirement"
                  for cause in report["causes"] for id in cause["affects"] if id not in ids]
        found += [f"{requirement['id']} points at {requirement['cause']}, which is no cause"
                  for requirement in report["requirements"]
                  if requirement["cause"] and requirement["cause"] not in causes]
    return found
