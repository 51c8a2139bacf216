-- Every bronze row is in silver, replaced by a newer one, removed at the source, or rejected.
select *
from {{ ref('row_accounting') }}
where bronze_rows != silver_rows + superseded_rows + removed_rows + rejected_rows
