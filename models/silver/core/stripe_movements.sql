with movements as (

    select * from {{ ref('stg_stripe__balance_transactions') }}
    where
        reporting_category in (
            'charge', 'partial_capture_reversal', 'refund', 'refund_failure', 'dispute', 'dispute_reversal'
        )

),

-- what a movement of the balance is about
documents as (

    select
        charge_id as document_id,
        charge_id,
        amount_captured as amount,
        currency
    from {{ ref('stg_stripe__charges') }}
    union all
    select
        refund_id as document_id,
        charge_id,
        amount,
        currency
    from {{ ref('stg_stripe__refunds') }}
    union all
    select
        dispute_id as document_id,
        charge_id,
        amount,
        currency
    from {{ ref('stg_stripe__disputes') }}

),

charges as (

    select * from {{ ref('stg_stripe__charges') }}

)

-- in the customer's currency: by the document where it moved at once, else by Stripe's rate
select
    movements.*,
    coalesce(charges.payment_intent_id, charges.charge_id) as payment_id,
    charges.customer_id,
    documents.charge_id,
    coalesce(documents.currency, movements.currency) as charged_currency,
    case
        when coalesce(documents.currency, movements.currency) = movements.currency
            then cast(movements.amount as decimal(18, 3))
        when count(*) over (partition by movements.source_id, movements.reporting_category) > 1
            then cast(cast(movements.amount as double) / movements.exchange_rate as decimal(18, 3))
        when movements.amount < 0 then cast(-documents.amount as decimal(18, 3))
        else cast(documents.amount as decimal(18, 3))
    end as total
from movements
left join documents on movements.source_id = documents.document_id
left join charges on documents.charge_id = charges.charge_id
where coalesce(charges.is_live, true)
