-- one row per number of events from 0 to 9: exact 95% limits of a Poisson count; from 10 up 81_rate_figures_on.sql approximates
-- (half the 2.5% and 97.5% points of chi-squared with 2n and 2n + 2 degrees of freedom; tests/sql/test_rates.py solves for them again)
select events::bigint as events, lower_limit::double as lower_limit, upper_limit::double as upper_limit,
from (
    values
        (0, 0.0, 3.68887945411),
        (1, 0.0253178079843, 5.57164339094),
        (2, 0.242209278544, 7.22468766772),
        (3, 0.618672122896, 8.76727306974),
        (4, 1.08986537363, 10.2415886754),
        (5, 1.62348639012, 11.6683320793),
        (6, 2.20189425349, 13.0594740225),
        (7, 2.81436305152, 14.4226753617),
        (8, 3.45383217675, 15.7631892202),
        (9, 4.11537309738, 17.0848034514)
) as limits (events, lower_limit, upper_limit)
