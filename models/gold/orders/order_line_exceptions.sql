with orders as (

    select * from {{ ref('stg_storefront__orders') }}

),

facts as (

    select * from {{ ref('fct_orders') }}

),

exceptions as (

    select
        row_id,
        order_id,
        'unknown product' as exception,
        product_id as sent_value
    from facts
    where product_key = '-1'
    union all
    select
        row_id,
        order_id,
        'unknown customer' as exception,
        customer_id as sent_value
    from facts
    where customer_key = '-1'
    union all
    select
        row_id,
        order_id,
        'repaired price' as exception,
        sent_price as sent_value
    from orders
    where price is not null and try_cast(sent_price as decimal(38, 18)) is null
    union all
    select
        row_id,
        order_id,
        'unreadable price' as exception,
        sent_price as sent_value
    from orders
    where price is null
    union all
    select
        row_id,
        order_id,
        'unreadable order date' as exception,
        cast(null as string) as sent_value
    from orders
    where order_date is null

)

select * from exceptions
