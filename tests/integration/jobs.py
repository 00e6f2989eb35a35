"""Jobs as an administrator's program asks for them, and what becomes of their runs."""

from lab import net

FINAL = ("done", "failed", "cancelled", "expired", "undetermined")


def post(hub, path="/v1/jobs", status=201, **wish):
    got, answer = hub.request("POST", path, wish)
    assert got == status, answer
    return answer


def script(hub, agent, text, **wish):
    return post(hub, interpreter="sh", script=text, servers=[agent.server], **wish)


def run_of(hub, job, agent):
    status, run = hub.request("GET", f"/v1/jobs/{job['id']}/runs/{agent.server}")
    assert status == 200, run
    return run


def wait_run(hub, job, agent, *states):
    def reached():
        run = run_of(hub, job, agent)
        return run if run["state"] in states else None

    return net.wait_until(reached, 40, f"the run to be {' or '.join(states)}\n{agent.log()[-2000:]}")


def output(hub, job, agent, offset=0):
    status, piece = hub.request("GET", f"/v1/jobs/{job['id']}/runs/{agent.server}/output?offset={offset}")
    assert status == 200, piece
    return piece


def wait_output(hub, job, agent):
    """The whole output as text, once it is complete."""
    return net.wait_until(lambda: (lambda p: p if p["complete"] else None)(output(hub, job, agent)), 20,
                          "the whole output")["text"]
