"""The only code that knows engines: Sail and delta-rs in this process, Spark, and dbt."""
