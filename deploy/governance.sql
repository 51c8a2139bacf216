-- Who may see what on Databricks. `make governance` writes this file from the `pii` of columns: edit those.
-- Parameters: catalog, and the group pii_readers. The principal of the jobs has to be in it, or its merges
-- would write masks. Needed are a SQL warehouse, MANAGE on the catalog and the governed tag `pii` with the
-- values name, email, phone, address, birth_date, demographic, device, message.
-- Who may read which schema stands in deploy/resources/schemas.yml.
-- Run it when tables are there, and again when tables were made anew.

use catalog identifier(:catalog);

-- Of each kind one mask, wherever a column of the catalog has its tag.

create schema if not exists governance;

create or replace function governance.mask_name(value string) returns string
return case when value is not null then '***' end;
create or replace policy mask_name on catalog identifier(:catalog)
column mask identifier(:catalog).governance.mask_name
to `account users` except identifier(:pii_readers)
for tables match columns has_tag_value('pii', 'name') as value on column value;

create or replace function governance.mask_email(value string) returns string
return concat('***', regexp_extract(value, '@[A-Za-z0-9.-]+', 0));
create or replace policy mask_email on catalog identifier(:catalog)
column mask identifier(:catalog).governance.mask_email
to `account users` except identifier(:pii_readers)
for tables match columns has_tag_value('pii', 'email') as value on column value;

create or replace function governance.mask_phone(value string) returns string
return case when value is not null then '***' end;
create or replace policy mask_phone on catalog identifier(:catalog)
column mask identifier(:catalog).governance.mask_phone
to `account users` except identifier(:pii_readers)
for tables match columns has_tag_value('pii', 'phone') as value on column value;

create or replace function governance.mask_address(value string) returns string
return case when value is not null then '***' end;
create or replace policy mask_address on catalog identifier(:catalog)
column mask identifier(:catalog).governance.mask_address
to `account users` except identifier(:pii_readers)
for tables match columns has_tag_value('pii', 'address') as value on column value;

create or replace function governance.mask_birth_date(value date) returns date
return trunc(value, 'YEAR');
create or replace policy mask_birth_date on catalog identifier(:catalog)
column mask identifier(:catalog).governance.mask_birth_date
to `account users` except identifier(:pii_readers)
for tables match columns has_tag_value('pii', 'birth_date') as value on column value;

create or replace function governance.mask_demographic(value string) returns string
return case when value is not null then '***' end;
create or replace policy mask_demographic on catalog identifier(:catalog)
column mask identifier(:catalog).governance.mask_demographic
to `account users` except identifier(:pii_readers)
for tables match columns has_tag_value('pii', 'demographic') as value on column value;

create or replace function governance.mask_device(value string) returns string
return case when value is not null then '***' end;
create or replace policy mask_device on catalog identifier(:catalog)
column mask identifier(:catalog).governance.mask_device
to `account users` except identifier(:pii_readers)
for tables match columns has_tag_value('pii', 'device') as value on column value;

create or replace function governance.mask_message(value string) returns string
return case when value is not null then '***' end;
create or replace policy mask_message on catalog identifier(:catalog)
column mask identifier(:catalog).governance.mask_message
to `account users` except identifier(:pii_readers)
for tables match columns has_tag_value('pii', 'message') as value on column value;

-- Which columns are personal.

alter table bronze.clickstream_events alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.clickstream_events alter column `anonymous_id` set tags ('pii' = 'device');
alter table bronze.crm_cust_info alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.crm_cust_info alter column `cst_firstname` set tags ('pii' = 'name');
alter table bronze.crm_cust_info alter column `cst_gndr` set tags ('pii' = 'demographic');
alter table bronze.crm_cust_info alter column `cst_lastname` set tags ('pii' = 'name');
alter table bronze.crm_cust_info alter column `cst_marital_status` set tags ('pii' = 'demographic');
alter table bronze.erp_cust_az12 alter column `BDATE` set tags ('pii' = 'birth_date');
alter table bronze.erp_cust_az12 alter column `GEN` set tags ('pii' = 'demographic');
alter table bronze.erp_cust_az12 alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.gym_gym_logins alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.gym_gym_logins alter column `mac_address` set tags ('pii' = 'device');
alter table bronze.gym_kafka_multiplex alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.gym_kafka_multiplex alter column `value` set tags ('pii' = 'message');
alter table bronze.gym_registered_users alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.gym_registered_users alter column `mac_address` set tags ('pii' = 'device');
alter table bronze.shopify_customers alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.shopify_customers alter column `addresses` set tags ('pii' = 'address');
alter table bronze.shopify_customers alter column `default_address` set tags ('pii' = 'address');
alter table bronze.shopify_customers alter column `default_email` set tags ('pii' = 'email');
alter table bronze.shopify_customers alter column `default_phone` set tags ('pii' = 'phone');
alter table bronze.shopify_customers alter column `first_name` set tags ('pii' = 'name');
alter table bronze.shopify_customers alter column `last_name` set tags ('pii' = 'name');
alter table bronze.shopify_orders alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.shopify_orders alter column `billing_address` set tags ('pii' = 'address');
alter table bronze.shopify_orders alter column `email` set tags ('pii' = 'email');
alter table bronze.shopify_orders alter column `phone` set tags ('pii' = 'phone');
alter table bronze.shopify_orders alter column `refunds` set tags ('pii' = 'message');
alter table bronze.shopify_orders alter column `returns` set tags ('pii' = 'message');
alter table bronze.shopify_orders alter column `shipping_address` set tags ('pii' = 'address');
alter table bronze.storefront_customers alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.storefront_customers alter column `address` set tags ('pii' = 'address');
alter table bronze.storefront_customers alter column `customer_name` set tags ('pii' = 'name');
alter table bronze.storefront_customers alter column `email` set tags ('pii' = 'email');
alter table bronze.storefront_customers alter column `phone` set tags ('pii' = 'phone');
alter table bronze.storefront_customers alter column `postal_code` set tags ('pii' = 'address');
alter table bronze.stripe_charges alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.stripe_charges alter column `billing_details` set tags ('pii' = 'address');
alter table bronze.stripe_charges alter column `metadata` set tags ('pii' = 'message');
alter table bronze.stripe_charges alter column `payment_method_details` set tags ('pii' = 'message');
alter table bronze.stripe_charges alter column `receipt_email` set tags ('pii' = 'email');
alter table bronze.stripe_charges alter column `shipping` set tags ('pii' = 'address');
alter table bronze.stripe_checkout_sessions alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.stripe_checkout_sessions alter column `collected_information` set tags ('pii' = 'address');
alter table bronze.stripe_checkout_sessions alter column `customer_details` set tags ('pii' = 'address');
alter table bronze.stripe_checkout_sessions alter column `customer_email` set tags ('pii' = 'email');
alter table bronze.stripe_checkout_sessions alter column `metadata` set tags ('pii' = 'message');
alter table bronze.stripe_customers alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.stripe_customers alter column `address` set tags ('pii' = 'address');
alter table bronze.stripe_customers alter column `email` set tags ('pii' = 'email');
alter table bronze.stripe_customers alter column `metadata` set tags ('pii' = 'message');
alter table bronze.stripe_customers alter column `name` set tags ('pii' = 'name');
alter table bronze.stripe_customers alter column `phone` set tags ('pii' = 'phone');
alter table bronze.stripe_customers alter column `shipping` set tags ('pii' = 'address');
alter table bronze.stripe_disputes alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.stripe_disputes alter column `evidence` set tags ('pii' = 'message');
alter table bronze.stripe_disputes alter column `metadata` set tags ('pii' = 'message');
alter table bronze.stripe_disputes alter column `payment_method_details` set tags ('pii' = 'message');
alter table bronze.stripe_events alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.stripe_events alter column `data` set tags ('pii' = 'message');
alter table bronze.stripe_payment_intents alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.stripe_payment_intents alter column `last_payment_error` set tags ('pii' = 'message');
alter table bronze.stripe_payment_intents alter column `metadata` set tags ('pii' = 'message');
alter table bronze.stripe_payment_intents alter column `receipt_email` set tags ('pii' = 'email');
alter table bronze.stripe_payment_intents alter column `shipping` set tags ('pii' = 'address');
alter table bronze.stripe_payouts alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.stripe_payouts alter column `metadata` set tags ('pii' = 'message');
alter table bronze.stripe_refunds alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.stripe_refunds alter column `instructions_email` set tags ('pii' = 'email');
alter table bronze.stripe_refunds alter column `metadata` set tags ('pii' = 'message');
alter table bronze.transactions_transactions alter column `_rescued_data` set tags ('pii' = 'message');
alter table bronze.transactions_transactions alter column `customer_email` set tags ('pii' = 'email');
alter table gold.bridge_order_payment alter column `evidence` set tags ('pii' = 'message');
alter table gold.dim_customer alter column `birth_date` set tags ('pii' = 'birth_date');
alter table gold.dim_customer alter column `first_name` set tags ('pii' = 'name');
alter table gold.dim_customer alter column `gender` set tags ('pii' = 'demographic');
alter table gold.dim_customer alter column `last_name` set tags ('pii' = 'name');
alter table gold.dim_customer alter column `marital_status` set tags ('pii' = 'demographic');
alter table gold.dim_storefront_customer alter column `address` set tags ('pii' = 'address');
alter table gold.dim_storefront_customer alter column `customer_name` set tags ('pii' = 'name');
alter table gold.dim_storefront_customer alter column `email` set tags ('pii' = 'email');
alter table gold.dim_storefront_customer alter column `phone` set tags ('pii' = 'phone');
alter table gold.dim_storefront_customer alter column `phone_extension` set tags ('pii' = 'phone');
alter table gold.dim_storefront_customer alter column `postal_code` set tags ('pii' = 'address');
alter table gold.fct_orders alter column `customer_name` set tags ('pii' = 'name');
alter table gold.fct_sessions alter column `anonymous_id` set tags ('pii' = 'device');
alter table gold.fct_sessions alter column `session_id` set tags ('pii' = 'device');
alter table gold.fct_sessions alter column `user_key` set tags ('pii' = 'device');
alter table gold.gym_summary alter column `mac_address` set tags ('pii' = 'device');
alter table gold.identity_history alter column `shared_identifier` set tags ('pii' = 'email');
alter table gold.person_identities alter column `email` set tags ('pii' = 'email');
alter table gold.person_identities alter column `phone` set tags ('pii' = 'phone');
alter table gold.person_identities alter column `shared_identifier` set tags ('pii' = 'email');
alter table gold.profit_by_customer alter column `customer_name` set tags ('pii' = 'name');
alter table gold.profit_cube alter column `customer_name` set tags ('pii' = 'name');
alter table gold.workout_bpm_summary alter column `gender` set tags ('pii' = 'demographic');
alter table ops.failed_rows alter column `record` set tags ('pii' = 'message');
alter table ops.quarantine alter column `record` set tags ('pii' = 'message');
alter table silver.gym_visits alter column `mac_address` set tags ('pii' = 'device');
alter table silver.person_components alter column `email` set tags ('pii' = 'email');
alter table silver.person_components alter column `phone` set tags ('pii' = 'phone');
alter table silver.person_identifiers alter column `identifier` set tags ('pii' = 'email');
alter table silver.person_links alter column `email` set tags ('pii' = 'email');
alter table silver.person_links alter column `phone` set tags ('pii' = 'phone');
alter table silver.person_records alter column `email` set tags ('pii' = 'email');
alter table silver.person_records alter column `person_name` set tags ('pii' = 'name');
alter table silver.person_records alter column `phone` set tags ('pii' = 'phone');
alter table silver.stg_clickstream__events alter column `anonymous_id` set tags ('pii' = 'device');
alter table silver.stg_crm__customers alter column `first_name` set tags ('pii' = 'name');
alter table silver.stg_crm__customers alter column `gender` set tags ('pii' = 'demographic');
alter table silver.stg_crm__customers alter column `last_name` set tags ('pii' = 'name');
alter table silver.stg_crm__customers alter column `marital_status` set tags ('pii' = 'demographic');
alter table silver.stg_erp__customers alter column `birth_date` set tags ('pii' = 'birth_date');
alter table silver.stg_erp__customers alter column `gender` set tags ('pii' = 'demographic');
alter table silver.stg_shopify__customers alter column `address_line_1` set tags ('pii' = 'address');
alter table silver.stg_shopify__customers alter column `address_line_2` set tags ('pii' = 'address');
alter table silver.stg_shopify__customers alter column `email` set tags ('pii' = 'email');
alter table silver.stg_shopify__customers alter column `first_name` set tags ('pii' = 'name');
alter table silver.stg_shopify__customers alter column `last_name` set tags ('pii' = 'name');
alter table silver.stg_shopify__customers alter column `phone` set tags ('pii' = 'phone');
alter table silver.stg_shopify__customers alter column `postal_code` set tags ('pii' = 'address');
alter table silver.stg_shopify__orders alter column `email` set tags ('pii' = 'email');
alter table silver.stg_shopify__orders alter column `phone` set tags ('pii' = 'phone');
alter table silver.stg_shopify__orders alter column `refunds` set tags ('pii' = 'message');
alter table silver.stg_shopify__orders alter column `returns` set tags ('pii' = 'message');
alter table silver.stg_shopify__orders alter column `shipping_postal_code` set tags ('pii' = 'address');
alter table silver.stg_shopify__refunds alter column `note` set tags ('pii' = 'message');
alter table silver.stg_shopify__returns alter column `customer_notes` set tags ('pii' = 'message');
alter table silver.stg_shopify__returns alter column `reason_notes` set tags ('pii' = 'message');
alter table silver.stg_storefront__customers alter column `address` set tags ('pii' = 'address');
alter table silver.stg_storefront__customers alter column `customer_name` set tags ('pii' = 'name');
alter table silver.stg_storefront__customers alter column `email` set tags ('pii' = 'email');
alter table silver.stg_storefront__customers alter column `phone` set tags ('pii' = 'phone');
alter table silver.stg_storefront__customers alter column `phone_extension` set tags ('pii' = 'phone');
alter table silver.stg_storefront__customers alter column `postal_code` set tags ('pii' = 'address');
alter table silver.stg_stripe__charges alter column `billing_email` set tags ('pii' = 'email');
alter table silver.stg_stripe__charges alter column `billing_name` set tags ('pii' = 'name');
alter table silver.stg_stripe__charges alter column `billing_phone` set tags ('pii' = 'phone');
alter table silver.stg_stripe__charges alter column `metadata` set tags ('pii' = 'message');
alter table silver.stg_stripe__checkout_sessions alter column `customer_country` set tags ('pii' = 'address');
alter table silver.stg_stripe__checkout_sessions alter column `customer_email` set tags ('pii' = 'email');
alter table silver.stg_stripe__checkout_sessions alter column `customer_name` set tags ('pii' = 'name');
alter table silver.stg_stripe__checkout_sessions alter column `customer_phone` set tags ('pii' = 'phone');
alter table silver.stg_stripe__checkout_sessions alter column `metadata` set tags ('pii' = 'message');
alter table silver.stg_stripe__customers alter column `address_line1` set tags ('pii' = 'address');
alter table silver.stg_stripe__customers alter column `address_line2` set tags ('pii' = 'address');
alter table silver.stg_stripe__customers alter column `customer_name` set tags ('pii' = 'name');
alter table silver.stg_stripe__customers alter column `email` set tags ('pii' = 'email');
alter table silver.stg_stripe__customers alter column `metadata` set tags ('pii' = 'message');
alter table silver.stg_stripe__customers alter column `phone` set tags ('pii' = 'phone');
alter table silver.stg_stripe__customers alter column `postal_code` set tags ('pii' = 'address');
alter table silver.stg_stripe__disputes alter column `metadata` set tags ('pii' = 'message');
alter table silver.stg_stripe__payment_intents alter column `metadata` set tags ('pii' = 'message');
alter table silver.stg_stripe__payment_intents alter column `receipt_email` set tags ('pii' = 'email');
alter table silver.stg_stripe__refunds alter column `metadata` set tags ('pii' = 'message');
alter table silver.stg_transactions__transactions alter column `customer_email` set tags ('pii' = 'email');
alter table silver.user_profile alter column `dob` set tags ('pii' = 'birth_date');
alter table silver.user_profile alter column `first_name` set tags ('pii' = 'name');
alter table silver.user_profile alter column `gender` set tags ('pii' = 'demographic');
alter table silver.user_profile alter column `last_name` set tags ('pii' = 'name');
alter table silver.user_profile alter column `sex` set tags ('pii' = 'demographic');
alter table silver.user_profile alter column `street_address` set tags ('pii' = 'address');
alter table silver.user_profile alter column `zip` set tags ('pii' = 'address');
alter table silver.user_profile_history alter column `dob` set tags ('pii' = 'birth_date');
alter table silver.user_profile_history alter column `first_name` set tags ('pii' = 'name');
alter table silver.user_profile_history alter column `gender` set tags ('pii' = 'demographic');
alter table silver.user_profile_history alter column `last_name` set tags ('pii' = 'name');
alter table silver.user_profile_history alter column `sex` set tags ('pii' = 'demographic');
alter table silver.user_profile_history alter column `street_address` set tags ('pii' = 'address');
alter table silver.user_profile_history alter column `zip` set tags ('pii' = 'address');
alter table silver.users alter column `mac_address` set tags ('pii' = 'device');
alter table snapshots.crm_customers alter column `_rescued_data` set tags ('pii' = 'message');
alter table snapshots.crm_customers alter column `cst_firstname` set tags ('pii' = 'name');
alter table snapshots.crm_customers alter column `cst_gndr` set tags ('pii' = 'demographic');
alter table snapshots.crm_customers alter column `cst_lastname` set tags ('pii' = 'name');
alter table snapshots.crm_customers alter column `cst_marital_status` set tags ('pii' = 'demographic');
alter table snapshots.erp_customers alter column `BDATE` set tags ('pii' = 'birth_date');
alter table snapshots.erp_customers alter column `GEN` set tags ('pii' = 'demographic');
alter table snapshots.erp_customers alter column `_rescued_data` set tags ('pii' = 'message');
alter table snapshots.storefront_customers alter column `_rescued_data` set tags ('pii' = 'message');
alter table snapshots.storefront_customers alter column `address` set tags ('pii' = 'address');
alter table snapshots.storefront_customers alter column `customer_name` set tags ('pii' = 'name');
alter table snapshots.storefront_customers alter column `email` set tags ('pii' = 'email');
alter table snapshots.storefront_customers alter column `phone` set tags ('pii' = 'phone');
alter table snapshots.storefront_customers alter column `postal_code` set tags ('pii' = 'address');
