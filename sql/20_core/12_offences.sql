-- one row per offence code
from stage.offences
