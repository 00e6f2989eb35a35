#!/usr/bin/env python3
"""Turns files into a C list of struct embedded_file (src/base/embed.h).

    embed.py OUTPUT.c LIST_NAME FILE...

A folder stands for the files in it, a FILE that ends in "?" may be missing, and of two files with
one name the first is taken. So `embed.py out.c assets dist? fallback` takes what was built, and the
fallback where nothing was. With --depfile FILE the build learns what it was made from.
"""

import argparse
import hashlib
import pathlib


def expand(arguments):
    files = {}
    for argument in arguments:
        path = pathlib.Path(argument.removesuffix("?"))
        if argument.endswith("?") and not path.exists():
            continue
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_file():
                files.setdefault(file.name, file)
    return files


def c_bytes(data):
    rows = [data[at:at + 24] for at in range(0, len(data), 24)]
    return "\n".join("\t" + "".join(f"{byte}," for byte in row) for row in rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--depfile")
    parser.add_argument("output")
    parser.add_argument("name")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    files = expand(options.files)
    out = ['#include "base/embed.h"\n']
    rows = []
    for number, (name, file) in enumerate(files.items()):
        data = file.read_bytes()
        out.append(f"static const unsigned char file_{number}[] = {{\n{c_bytes(data)}0}};\n")
        digest = hashlib.sha256(data).hexdigest()[:32]
        rows.append(f'\t{{"{name}", file_{number}, {len(data)}, "{digest}"}},')
    body = "\n".join(rows)
    out.append(f"extern const struct embedded_file {options.name}[];\n"
               f"const struct embedded_file {options.name}[] = {{\n{body}\n\t{{0}},\n}};\n")
    pathlib.Path(options.output).write_text("\n".join(out))
    if options.depfile:
        folders = [a.removesuffix("?") for a in options.files if pathlib.Path(a.removesuffix("?")).is_dir()]
        depends = " ".join([*map(str, files.values()), *folders])
        pathlib.Path(options.depfile).write_text(f"{options.output}: {depends}\n")


main()
