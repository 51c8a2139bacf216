-- People by scores of recency and frequency.
select
    recency_score,
    frequency_score,
    count(*) as people
from {{ ref('customer_segments') }}
where recency_score is not null
group by recency_score, frequency_score
order by recency_score desc, frequency_score
