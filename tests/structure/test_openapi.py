"""The OpenAPI document is sound by itself; tests/unit/test_hub_api.c holds it against the routes."""
import pathlib
import re
import sys

import jsonschema
import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests/integration")]

import openapi  # noqa: E402


def parts(value, where="#"):
    yield where, value
    if isinstance(value, dict):
        for key, part in value.items():
            yield from parts(part, f"{where}/{key}")
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from parts(part, f"{where}/{at}")


def test_every_reference_leads_somewhere():
    found = 0
    for _, part in parts(openapi.document()):
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            found += 1
            openapi.resolved(part)
    assert found > 200


def test_every_component_is_used():
    used = set(re.findall(r'#/components/(\w+/\w+)', openapi.SOURCE.read_text()))
    made = {f"{kind}/{name}" for kind, names in openapi.document()["components"].items() for name in names
            if kind != "securitySchemes"}
    assert made == used


def test_schemas_are_schemas():
    for schema in openapi.document()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_examples_fit_their_schemas():
    wrong, found = [], 0
    for where, part in parts(openapi.document()):
        if not isinstance(part, dict):
            continue
        if "example" in part and "schema" in part:
            found += 1
            wrong += [f"{where}: {line}" for line in openapi.problems(part["schema"], part["example"])]
        if isinstance(part.get("examples"), list):
            for example in part["examples"]:
                found += 1
                schema = {key: value for key, value in part.items() if key != "examples"}
                wrong += [f"{where}: {line}" for line in openapi.problems(schema, example)]
    assert not wrong, "\n".join(wrong)
    assert found >= 15


def test_a_schema_can_refuse():
    user = openapi.document()["components"]["schemas"]["User"]
    assert openapi.problems(user, {"name": "alice"})
    assert openapi.problems(user, {**user["examples"][0], "created_at": "yesterday"})


@pytest.mark.parametrize("one", openapi.operations(), ids=str)
def test_every_operation_tells_its_refusals(one):
    answers = set(one.details["responses"])
    assert one.details["operationId"] and one.details["summary"]
    expected = set()
    if one.permission != "anyone":
        expected |= {"401"}
        assert "security" not in one.details, "the default holds: a cookie or a key"
    else:
        assert one.details["security"] == []
    if one.permission not in ("anyone", "signed-in"):
        expected |= {"403"}
    if one.body_schema:
        expected |= {"400", "422"}
    if one.method == "POST" and one.permission != "anyone":
        assert any(given.get("name") == "Idempotency-Key" for given in one.parameters)
        expected |= {"409", "422"}
    if re.search(r"\{", one.path) and one.permission != "anyone":
        expected |= {"404"}
    assert expected <= answers, f"{one} does not tell of {sorted(expected - answers)}"
    named = set(re.findall(r"\{(\w+)\}", one.path))
    assert named == {given["name"] for given in one.parameters if given["in"] == "path"}


def test_operation_ids_differ():
    names = [one.details["operationId"] for one in openapi.operations()]
    assert len(names) == len(set(names)) > 40


def test_the_page_tells_what_the_roles_may():
    """docs/api.md and src/hub/api/access.def."""
    table = (TOP / "src/hub/api/access.def").read_text()
    page = (TOP / "docs/api.md").read_text()
    permissions = re.findall(r'^PERMISSION\((\w+), "(\w+)", \w+,\s*"([^"]+)"', table, re.M)
    roles = {name: re.findall(r"MAY\((\w+)\)", may)
             for name, may in re.findall(r'^ROLE\(\w+, "(\w+)",\s*((?:MAY\(\w+\)[ |\n]*)+)', table, re.M)}
    assert len(permissions) == 7 and list(roles) == ["administrator", "architect", "operator"]
    for symbol, name, about in permissions:
        cells = " ".join(f"| {'yes' if symbol in may else ''}".strip() for may in roles.values())
        assert f"| `{name}` | {about} {cells} |" in page, f"docs/api.md: {name}"
