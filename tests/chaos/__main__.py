"""`./dev chaos`: the full form. A seed of an earlier run makes the same choices again."""

import argparse
import sys

from chaos.chaos import Chaos
from lab.world import Lab


def main():
    arguments = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    arguments.add_argument("--jobs", type=int, default=1000)
    arguments.add_argument("--machines", type=int, default=4)
    arguments.add_argument("--seed", type=int)
    options = arguments.parse_args()
    with Lab() as lab:
        chaos = Chaos(lab, options.jobs, options.machines, options.seed)
        try:
            chaos.run()
        finally:
            chaos.end()
    print("chaos: no job lost, none run twice")


if __name__ == "__main__":
    sys.exit(main())
