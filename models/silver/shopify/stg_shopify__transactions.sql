{{ config(materialized='incremental', unique_key='transaction_id') }}

with orders as (

    select *
    from {{ ref('stg_shopify__orders') }}
    where {{ '_ingested_at > ' ~ newest('_ingested_at', this) if is_incremental() else 'true' }}

),

transactions as (

    select
        order_id,
        _ingested_at,
        explode(from_json(
            transactions,
            'array<struct<
                id:string, createdAt:string, processedAt:string, kind:string, status:string, gateway:string,
                paymentId:string, test:boolean, errorCode:string, parentTransaction:struct<id:string>,
                amountSet:struct<
                    shopMoney:struct<amount:string, currencyCode:string>,
                    presentmentMoney:struct<amount:string, currencyCode:string>
                >
            >>'
        )) as payment
    from orders

),

renamed as (

    select
        -- ids
        {{ shopify_id('payment.id') }} as transaction_id,
        order_id,
        {{ shopify_id('payment.parentTransaction.id') }} as parent_transaction_id,
        payment.paymentId as payment_id,

        -- text
        lower(payment.kind) as kind,
        lower(payment.status) as status,
        lower(payment.gateway) as gateway,
        lower(payment.errorCode) as error_code,

        -- flags
        payment.test as is_test,

        -- money, of the shop's currency and of the customer's
        payment.amountSet.shopMoney.currencyCode as currency,
        {{ shopify_money('payment.amountSet.shopMoney.amount') }} as amount,
        payment.amountSet.presentmentMoney.currencyCode as presentment_currency,
        {{ shopify_money('payment.amountSet.presentmentMoney.amount') }} as presentment_amount,

        -- times
        try_cast(coalesce(payment.processedAt, payment.createdAt) as timestamp) as processed_at,

        -- lineage
        _ingested_at

    from transactions

)

select * from renamed
