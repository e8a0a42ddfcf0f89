"""A program that runs a Ray cluster of two nodes with one CPU each on this machine, until its input ends.

It prints the address; a line of input takes the second node away.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Run the nodes."""
    utilities: Any = import_module("ray.cluster_utils")  # the types of an extra that may be missing
    node = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 100 * 2**20}
    cluster = utilities.Cluster(initialize_head=True, head_node_args=node)
    second = cluster.add_node(**node)
    print(cluster.address, flush=True)
    if sys.stdin.readline():
        cluster.remove_node(second, allow_graceful=False)
        print("one is left", flush=True)
        sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main()
