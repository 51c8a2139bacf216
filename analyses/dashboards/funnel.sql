-- Visits that reached each step.
select
    concat(step_number, ' ', replace(step, '_', ' ')) as step,
    sum(sessions) as sessions
from {{ ref('conversion_funnel') }}
group by step_number, step
order by step_number
