"""Root and an ordinary user on one machine: what their two reports contradict each other in."""

GOOD, BAD = {"pass"}, {"fail", "warn"}


def contradictions(root, user):
    """Of two runs of `check`, in words; empty when they agree. What one of them leaves unknown is no
    contradiction, nor is a cause that one of them calls likely."""
    ours, theirs = ({each["id"]: each for each in run.report["requirements"]} for run in (root, user))
    if ours.keys() != theirs.keys():
        return [f"only one of them has {', '.join(sorted(ours.keys() ^ theirs.keys()))}"]
    certain = [{cause["id"] for cause in run.report["causes"] if cause["confidence"] == "certain"}
               for run in (root, user)]
    found = []
    for name, each in ours.items():
        other = theirs[name]
        both = {each["status"], other["status"]}
        if both & GOOD and both & BAD:
            found.append(f"{name}: {each['status']} for root, {other['status']} for the user")
        if each["cause"] != other["cause"] and each["cause"] in certain[0] and other["cause"] in certain[1]:
            found.append(f"{name}: {each['cause']} for root, {other['cause']} for the user")
    return found
