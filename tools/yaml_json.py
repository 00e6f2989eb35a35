#!/usr/bin/env python3
"""Turns a YAML document into compact JSON.

    yaml_json.py INPUT.yaml OUTPUT.json
"""

import json
import pathlib
import sys

import yaml


class Loader(yaml.SafeLoader):
    """Times stay texts: JSON has no others."""


Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def main(source, target):
    document = yaml.load(pathlib.Path(source).read_text(), Loader)
    pathlib.Path(target).write_text(json.dumps(document, separators=(",", ":"), ensure_ascii=False))


main(*sys.argv[1:])
