"""The schema of what many workers share: where it is kept, and what becomes of calls without it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tidegate.cluster.url import BadUrl, parse
from tidegate.config.schema.base import PASSWORD_INSIDE, Name, Section, refused


def _url(value: str) -> str:
    try:
        parse(value)
    except BadUrl as error:
        raise refused(error.problem, error.remedy) from None
    return value


class ClusterConfig(Section):
    """The shared state of a cluster."""

    url: Annotated[str, AfterValidator(_url)] | None = Field(
        None,
        repr=False,
        json_schema_extra=PASSWORD_INSIDE,
        description="Redis or Valkey: `redis://`, `rediss://` (TLS), `unix://`, `redis+sentinel://` or "
        "`redis+cluster://`; a password may stand in it. Left out: each node by itself; with `--workers` above 1 the "
        "gate keeps a Valkey of its own.",
        examples=['"${CLUSTER_URL}"'],
    )
    prefix: Name = Field(
        "tidegate", description="What its keys begin with; one cluster, one prefix.", examples=["tidegate"]
    )
    node: Name | None = Field(
        None,
        description="This node's name, as `--node` says; left out: the host's name and a digest of the state folder.",
        examples=["${HOSTNAME}"],
    )
    timeout_ms: Annotated[int, Field(ge=1, le=10_000)] = Field(
        150, description="Of one exchange with it, everything together, in milliseconds.", examples=[150]
    )
    on_state_loss: Literal["local", "closed", "open"] = Field(
        "local",
        description="While it is away: `local`, each worker its share of each limit; `closed`, nothing that is "
        "limited; `open`, no shared limit holds anybody back.",
        examples=["local"],
    )
    share_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        600, description="For how long a worker that hears nothing goes on with its share, in seconds.", examples=[600]
    )
    configuration: Literal["shared", "own"] = Field(
        "shared",
        description="`shared`: a change of one node's file is put to all nodes, and in force on all or none; `own`: "
        "each node has its own file.",
        examples=["shared"],
    )
    region: Name | None = Field(
        None, description="The name of the region that this cluster is; left out: there is one.", examples=["eu"]
    )
