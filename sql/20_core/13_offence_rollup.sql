-- one row per code and offence level: what each code counts towards
from stage.offence_rollup
