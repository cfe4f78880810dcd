"""How the catalog and the Parquet of a lakehouse are reached: values that settings.py reads and warehouse/ducklake.py uses."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class LakehouseAccess:
    """What PostgreSQL and S3 want to know beyond their addresses; empty where nothing is said.

    Secrets stand in no repr, and so in no log and no traceback.
    """

    postgres_options: str = ""  # of the server, such as -c statement_timeout=60s
    s3_key_id: str = ""
    s3_secret: str = field(default="", repr=False)
    s3_session_token: str = field(default="", repr=False)
    s3_region: str = ""
    s3_endpoint: str = ""  # of a server that speaks like S3, such as https://store.example:9000


LOCAL = LakehouseAccess()  # enough for a catalog and Parquet in files of this host
