"""The hub's API as its OpenAPI document describes it: operations, and a client that holds every answer against it."""

import functools
import http.client
import json
import re
import ssl
from pathlib import Path

import jsonschema
import yaml

from lab import net
from lab.world import HUB, HUB_NAME

SOURCE = Path(__file__).resolve().parents[2] / "src/hub/api/openapi.yaml"
GENERAL = (400, 411, 413, 500, 503, 507)  # that any request may get; the description says so
METHODS = ("get", "post", "patch", "delete", "put", "head")


class Loader(yaml.SafeLoader):
    """Times stay texts, as in JSON."""


Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}


@functools.cache
def document():
    return yaml.load(SOURCE.read_text(), Loader)


def resolved(part):
    """What a {$ref: ...} stands for."""
    while "$ref" in part:
        target = document()
        for name in part["$ref"].removeprefix("#/").split("/"):
            target = target[name.replace("~1", "/").replace("~0", "~")]
        part = target
    return part


class Operation:
    def __init__(self, method, path, item, details):
        self.method, self.path, self.details = method.upper(), path, details
        self.permission = details["x-permission"]
        self.parameters = [resolved(one) for one in item.get("parameters", []) + details.get("parameters", [])]
        # Segment by segment, as the hub does it.
        self.pattern = re.compile("/".join("[^/]+" if part.startswith("{") else re.escape(part)
                                           for part in path.split("/")) + "$")

    def __repr__(self):
        return f"{self.method} {self.path}"

    @property
    def streams(self):
        return "text/event-stream" in resolved(self.details["responses"].get("200", {})).get("content", {})

    @property
    def body_schema(self):
        return self.details.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")

    def url(self, **operands):
        """The path with its {NAME}s filled in; 0 where nothing is said."""
        return re.sub(r"\{(\w+)\}", lambda found: operands.get(found.group(1), "0"), self.path)


@functools.cache
def operations():
    return [Operation(method, path, item, item[method]) for path, item in document()["paths"].items()
            for method in METHODS if method in item]


def operation(method, path):
    path = path.split("?")[0]
    for one in operations():
        if one.method == method and one.pattern.match(path):
            return one
    return None


def problems(schema, value):
    """What is wrong with a value, by a schema of the document."""
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema,
             "components": document()["components"]}
    validator = jsonschema.Draft202012Validator(whole)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}"[:500]
            for error in validator.iter_errors(value)]


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def type(self):
        return self.headers.get("content-type", "").split(";")[0]

    @property
    def json(self):
        return json.loads(self.text) if self.text else None

    @property
    def kind(self):
        """Of a problem: the last part of its type."""
        return self.json["type"].removeprefix("urn:sallyport:problem:")

    def __repr__(self):
        return f"{self.status} {self.text[:300]}"


def wrong_in(one, answer):
    """What the document does not allow of this answer to this operation."""
    answers = one.details["responses"]
    if answer.status in GENERAL:
        answers = {str(answer.status): document()["components"]["responses"]["Problem"], **answers}
    found = resolved(answers.get(str(answer.status), {}))
    if not found:
        return [f"{one}: {answer.status} is not among its answers: {answer.text[:200]}"]
    content = found.get("content", {})
    if not content:
        return [f"{one}: {answer.status} has a body"] if answer.text else []
    if answer.type not in content:
        return [f"{one}: {answer.status} is {answer.type}"]
    schema = content[answer.type].get("schema")
    if not schema or answer.type == "text/event-stream":
        return []
    value = answer.json if answer.type.endswith("json") else answer.text
    return [f"{one}: {answer.status}: {problem}" for problem in problems(schema, value)]


class Client:
    """Somebody who asks; with a key, a cookie or nothing. Every answer is held against the document."""

    def __init__(self, hub, key=None, cookie=None):
        self.hub, self.key, self.cookie = hub, key, cookie
        self.connection = None

    def connect(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(HUB, 443, timeout=net.PATIENCE_S, context=context)

    def many(self, function):
        """Calls function() where each request uses one connection: for hundreds of requests."""
        self.connection = self.connect()
        try:
            return self.hub.namespace.inside(function, timeout=120)
        finally:
            self.connection.close()
            self.connection = None

    def __call__(self, method, path, body=None, **headers):
        """`body`: bytes and texts as they are, all else as JSON. Headers: Idempotency_Key="1"."""
        if self.connection:
            answer = self.ask(method, path, body, headers)
        else:
            answer = self.hub.namespace.inside(self.ask, method, path, body, headers)
        one = operation(method, path)
        wrong = wrong_in(one, answer) if one else []
        assert not wrong, "\n".join(wrong)
        return answer

    def ask(self, method, path, body, headers):
        sent = {"Host": HUB_NAME, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        if self.cookie:
            sent.update({"Cookie": self.cookie, "X-Sallyport": "1"})
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        for fresh in (False, True):
            connection = self.connection if self.connection and not fresh else self.connect()
            try:
                connection.request(method, path, body, sent)
                return self._read(connection)
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLError, http.client.CannotSendRequest):
                # The hub closes a connection after what it did not read to its end.
                connection.close()
                if fresh or not self.connection:
                    raise
            finally:
                if connection is not self.connection:
                    connection.close()

    def _read(self, connection):
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        if names.get("content-type") == "text/event-stream":
            connection.close()
            return Answer(response.status, names, "")
        return Answer(response.status, names, response.read().decode())


def administrator(hub):
    """The first administrator, signed in; the hub is fresh."""
    hub.servers()
    return Client(hub, cookie=hub.cookie)


def key_for(admin, *permissions, location=None, name="program"):
    made = admin("POST", "/v1/keys", {"name": name, "permissions": list(permissions), "location": location,
                                      "expires_in_s": 600})
    assert made.status == 201, made
    return Client(admin.hub, key=made.json["key"])


def signed_in(hub, name, password):
    answer = Client(hub)("POST", "/v1/login", {"name": name, "password": password}, X_Sallyport="1")
    assert answer.status == 204, answer
    return Client(hub, cookie=answer.headers["set-cookie"].split(";")[0])
