-- guards: a release gives each row once and each code one description; what may be a slip is read, summed and named
-- required: no
select doubt as finding
from input.release_doubts
