-- Hours from leaving the warehouse to arriving, by carrier.
select
    carrier,
    count(*) as delivered,
    round(percentile(cast(lead_time_hours as double), 0.5), 1) as half_within_hours,
    round(percentile(cast(lead_time_hours as double), 0.9), 1) as nine_of_ten_within_hours,
    count_if(is_late) as late
from {{ ref('fct_shipments') }}
where lead_time_hours is not null
group by carrier
order by carrier
