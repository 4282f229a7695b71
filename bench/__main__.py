"""`./dev bench NAME`: measures, prints, and writes `results/NAME.json`."""

import sys

from bench import instructions, jobs, schedule, sdk, wire
from bench.report import run

BENCHES = {
    "all": (run.main, "every figure of the project, beside other gateways, in one report: bench/report.md"),
    "wire": (wire.main, "CPU, latency and memory beside nginx and Envoy, with --peers beside other gateways"),
    "instructions": (instructions.main, "instructions a request in the worker, by function (needs valgrind)"),
    "schedule": (schedule.main, "CPU of a scheduling decision, with few and with many who wait"),
    "jobs": (jobs.main, "jobs a second, and what one costs, on each engine"),
    "sdk": (sdk.main, "the same arrivals by a bare SDK with its own retries, and through the gate"),
}


def main(words: list[str]) -> int:
    """Runs one bench, or lists them."""
    if not words or words[0] not in BENCHES:
        for name, (_, what) in BENCHES.items():
            print(f"./dev bench {name:12} {what}")
        return 0 if not words else 2
    return BENCHES[words[0]][0](words[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
