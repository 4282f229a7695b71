"""The one `MetaData`: every table of the store is declared on it, in a file of its subject.

Units: `*_us` are wall-clock microseconds since 1970 or durations in microseconds, money is in billionths (nano) of the
house currency, `day` counts days and `hour` hours since 1970, both in UTC.
"""

from typing import Final

from sqlalchemy import MetaData, String

NAME: Final = String(128)  # of a tenant, user, key, model, provider, scope, tag; what is longer is cut

METADATA: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)
