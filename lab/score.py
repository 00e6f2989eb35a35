"""One scenario played and judged: the same code for the tests and for `./dev lab --report` (row B6)."""

import json
import os
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab import catalogue

NOTHING = "nothing"
FAULT = "another fault"  # the causes are right, and something else is not
KEPT_IN = "SALLYPORT_LAB_RESULTS"  # the folder for results, when somebody collects them


@dataclass
class Result:
    name: str
    broken: list  # the root causes that the scenario was built to have
    named: list = field(default_factory=list)
    faults: list = field(default_factory=list)  # what else was not as it has to be, in words
    seconds: float = 0.0

    @property
    def right(self):
        return self.named == self.broken and not self.faults

    def cells(self):
        """(was broken, was named) pairs: a cause that was named is on the diagonal; what was missed meets
        what was named in its place, or nothing."""
        if self.named == self.broken:
            return [(cause, FAULT if self.faults else cause) for cause in self.broken or [NOTHING]]
        broken, named = Counter(self.broken), Counter(self.named)
        met = [(cause, cause) for cause in (broken & named).elements()]
        missed = list((broken - named).elements()) or [NOTHING]
        extra = list((named - broken).elements()) or [NOTHING]  # also a cause that was told twice
        return met + [(cause, other) for cause in missed for other in extra]


def play(name, lab):
    """The Result, and the words that explain it. Raises LabError when the lab itself is broken."""
    scenario = catalogue.scenario(name)
    result = Result(name, sorted(scenario.causes))
    began = time.monotonic()
    try:
        outcome = scenario.play(lab).run()
        result.named = outcome.causes
        expected = getattr(scenario, "code", None) or outcome.expected_code(scenario.causes)
        if outcome.code is not None and outcome.code != expected:
            result.faults.append(f"exit code {outcome.code}, not {expected}")
        result.faults += evidence_faults(scenario, outcome)
        result.faults += affects_faults(scenario, outcome)
        # Rows R21 to R23: behind a proxy nothing goes out directly.
        if lab.proxied and lab.direct_packets():
            result.faults.append(f"{lab.direct_packets()} packets went out directly, past the proxy")
        return result, outcome.explain()
    except BaseException as error:
        result.faults.append(f"no verdict: {type(error).__name__}")
        raise
    finally:
        result.seconds = round(time.monotonic() - began, 2)
        keep(result)


def evidence_faults(scenario, outcome):
    """What the scenario's `evidence` (name -> words that its value has) wants, and no cause shows."""
    wanted = getattr(scenario, "evidence", {})
    shown = [(item["name"], item["value"]) for cause in outcome.report["causes"]
             for item in cause["evidence"]] if wanted else []
    return [f"the evidence {name} does not say \"{words}\"" for name, words in wanted.items()
            if not any(name == other and words in value for other, value in shown)]


def affects_faults(scenario, outcome):
    """Whether the causes concern exactly the requirements of the scenario's `affects`."""
    wanted = getattr(scenario, "affects", None)
    if wanted is None:
        return []
    shown = sorted({name for cause in outcome.report["causes"] for name in cause["affects"]})
    return [] if shown == sorted(wanted) else [f"it concerns {shown}, not {sorted(wanted)}"]


def keep(result):
    folder = os.environ.get(KEPT_IN)
    if folder:
        (Path(folder) / f"{result.name}.json").write_text(json.dumps(asdict(result)))


def kept(folder, names):
    """The results of these scenarios; one that left none has no verdict."""
    results = []
    for name in names:
        path = Path(folder) / f"{name}.json"
        if path.exists():
            results.append(Result(**json.loads(path.read_text())))
        else:
            results.append(Result(name, sorted(catalogue.scenario(name).causes), [],
                                  ["no verdict: it did not end"]))
    return results

