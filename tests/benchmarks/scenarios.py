"""How long 200 scenarios take: `python -m tests.benchmarks.scenarios [--count 200] [--rounds 3]`.

The scenarios are those of the shipped playbooks, each as often as it takes. Prints the median of the rounds, in
seconds of the wall clock and of the processor, and the median of one scenario.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

from cli.init import make
from flows.project import open_project
from flows.scenario.play import play
from flows.scenario.world import bench


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        make(Path(place) / "shop")
        project = open_project(Path(place) / "shop")
        table = bench(project, project.compiled)
        now = datetime.now(UTC)
        walls, processors, singles = [], [], []
        for _ in range(given.rounds):
            wall, processor = time.perf_counter(), time.process_time()
            for scenario in islice(cycle(project.compiled.scenarios), given.count):
                began = time.perf_counter()
                assert not play(table, scenario, now=now).problems, scenario.name
                singles.append(time.perf_counter() - began)
            walls.append(time.perf_counter() - wall)
            processors.append(time.process_time() - processor)
    print(
        f"{given.count} scenarios: {statistics.median(walls):.1f} s, {statistics.median(processors):.1f} s of the "
        f"processor; one: {1000 * statistics.median(singles):.0f} ms"
    )


if __name__ == "__main__":
    main()
