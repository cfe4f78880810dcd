"""What `demo` prints once the sample is published: the table that newspapers printed in February 2016, then and today."""

from __future__ import annotations

import sys
from datetime import date

from flows.cli.table_command import TableRequest, write_table
from flows.queries import connection
from flows.queries.levels import Level
from flows.queries.table_revisions import fetch_table_revisions
from flows.rendering import table_revisions_text
from flows.storage.data_store import DataStore
from transforms.periods import HalfYear

HALF_YEAR, OFFENCE = HalfYear.parse("2015-16-H1"), "8Q"
AS_OF = date(2016, 2, 1)
TOP, REVISED_TOP = 10, 7
NOTE = """
What is real in this, and what is simulated:
- Printed by newspapers in February 2016: Wirral 86 (2.7 per 10,000, first), Liverpool 109 (2.3), Sefton 1.5,
  St. Helens fourth, South Worcester 36 (1.2, fifth), North Worcestershire 30 (1.1, seventh), Merseyside 275 in all.
- Real: populations (ONS), and the forces' totals of 23 April 2026 (Home Office): Merseyside 276, Staffordshire 156.
- Follows: Sefton 40 to 42; St. Helens 22 to 27; Knowsley 17 at most. Staffordshire's 156 are 1.4 per 10,000: they cannot all
  have been in a table where South Worcester was fifth with 1.2, and today a partnership of Staffordshire stands above it.
- Simulated: Sefton's 41, St. Helens' 22 and Knowsley's 17 (sixth) within that; every other partnership, by its share of its
  force's offences in the year ending June 2025 (ONS, Table C2); what the table of 2016 lacks of it; and each place's quarters.
"""


def write_newspaper_table(store: DataStore) -> None:
    """Print the table as of 1 February 2016, the same ranks today, and which figures are real."""
    sys.stdout.write("\n")
    write_table(store, TableRequest(str(HALF_YEAR), OFFENCE, Level.CSP, top=TOP, as_of=AS_OF))
    with connection.connect(store) as con:
        revisions = fetch_table_revisions(con, HALF_YEAR, Level.CSP, OFFENCE, AS_OF, REVISED_TOP)
    sys.stdout.write(f"\n{table_revisions_text.render(revisions)}{NOTE}")
