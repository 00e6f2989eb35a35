#!/usr/bin/env python3
"""The table of docs/installing.md that tells what each outcome means: from src/diagnosis/outcomes.def. `./dev fmt` renews it.

Usage: tools/outcomes_page.py PAGE    (rewrites what stands between its two marks)
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
DEF = TOP / "src/diagnosis/outcomes.def"
BEGIN = "<!-- outcomes: written by `./dev fmt` -->"
END = "<!-- end of outcomes -->"
STRING = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(rf"^OUTCOME\(\w+,\s*{STRING},\s*(\w+),((?:\s*{STRING})+),((?:\s*{STRING})+)\)", re.M)


def outcomes():
    """id, stage, sentence and remedy of every row, with the words that stand in where the evidence is missing."""
    rows = [(id, stage.lower().replace("_", "-"), words(sentence), words(remedy))
            for id, stage, sentence, _, remedy, _ in ROW.findall(DEF.read_text())]
    if len(rows) != DEF.read_text().count("\nOUTCOME("):
        sys.exit(f"{DEF}: a row that this cannot read")
    return rows


def words(strings):
    text = "".join(re.findall(STRING, strings)).replace('\\"', '"')
    return re.sub(r"\{[\w-]+\|([^}]*)\}", r"\1", re.sub(r"\{([\w-]+)\}", r"\1", text)).replace("|", "\\|")


def table():
    lines = ["| outcome | stage | what it means | what to do |", "|---|---|---|---|"]
    lines += [f"| `{id}` | {stage} | {sentence} | {remedy} |" for id, stage, sentence, remedy in outcomes()]
    return "\n".join([BEGIN, "", *lines, "", END])


def renewed(text):
    """The page with the table as it should be."""
    return re.sub(re.escape(BEGIN) + ".*" + re.escape(END), lambda _: table(), text, flags=re.S)


if __name__ == "__main__":
    page = pathlib.Path(sys.argv[1])
    page.write_text(renewed(page.read_text()))
