#!/usr/bin/env python3
"""Turns files into a C list of struct embedded_file (src/base/embed.h).

    embed.py OUTPUT.c LIST_NAME FILE...
"""

import hashlib
import pathlib
import sys


def c_bytes(data):
    rows = [data[at:at + 24] for at in range(0, len(data), 24)]
    return "\n".join("\t" + "".join(f"{byte}," for byte in row) for row in rows)


def main(output, list_name, *files):
    out = ['#include "base/embed.h"\n']
    rows = []
    for number, file in enumerate(map(pathlib.Path, files)):
        data = file.read_bytes()
        out.append(f"static const unsigned char file_{number}[] = {{\n{c_bytes(data)}0}};\n")
        digest = hashlib.sha256(data).hexdigest()[:32]
        rows.append(f'\t{{"{file.name}", file_{number}, {len(data)}, "{digest}"}},')
    body = "\n".join(rows)
    out.append(f"extern const struct embedded_file {list_name}[];\n"
               f"const struct embedded_file {list_name}[] = {{\n{body}\n\t{{0}},\n}};\n")
    pathlib.Path(output).write_text("\n".join(out))


main(*sys.argv[1:])
