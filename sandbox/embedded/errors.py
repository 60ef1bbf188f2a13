"""What can go wrong with the embedded cluster, by who has to act on it.

The text of an error is its cause in one sentence; `remedy` is the next step, shown beside it.
"""


class EmbeddedError(Exception):
    """Anything the embedded cluster could not do; live exercises are off until it can."""

    def __init__(self, cause: str, remedy: str = "Mend that, then start again.") -> None:
        super().__init__(cause)
        self.remedy = remedy


class HostUnfit(EmbeddedError):
    """This machine cannot carry the cluster as it stands; nothing was started."""


class BuildFailed(EmbeddedError):
    """The Kubernetes binary could not be built; the next attempt resumes where this one stopped."""


class CommandFailed(EmbeddedError):
    """A tool of the machine (`ip`, `nft`, `ctr`…) refused."""


class ComponentFailed(EmbeddedError):
    """A component of the cluster stopped during its start."""


class StartTimedOut(EmbeddedError):
    """The cluster runs, but did not become usable in time."""


class StartCancelled(EmbeddedError):
    """The cluster was taken down while it was still starting."""
