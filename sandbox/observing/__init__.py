"""The observer: the record's only writer.

It watches the cluster, asks probes, injects faults, feeds the checks and keeps each open sandbox's picture.
"""

from sandbox.observing.observer import Observer
from sandbox.observing.refusal import ActRefused

__all__ = ["ActRefused", "Observer"]
