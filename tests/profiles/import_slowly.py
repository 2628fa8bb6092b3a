"""A process that imports a file and says so after each batch: for the test that kills it.

Arguments: the store's URL, the file, the reject file, calls a batch, seconds to rest after each batch.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from profiles.files import import_file
from profiles.ingest import Counts
from store.engine import open_store
from tests.profiles.shop import RULES, START


def main(url: str, file: str, rejects: str, batch: str, rest: str) -> None:
    def told(done: int, total: int, counts: Counts) -> None:
        print(done, total, counts.read, flush=True)
        time.sleep(float(rest))

    import_file(
        open_store(url), Path(file), rules=RULES, received_at=START, mapping=None, reject_to=Path(rejects),
        progress=told, batch=int(batch),
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
