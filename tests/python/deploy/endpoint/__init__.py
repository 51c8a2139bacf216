"""A SQL warehouse on loopback: it speaks the protocol of databricks-sql-connector over Spark on this machine.

`protocol.py` is what the connector talks to, `warehouse.py` what answers statements, `unity.py` what Unity
Catalog knows beside the tables. It shows that the unmodified adapter builds the project, and what it builds.
It does not show that Databricks takes the SQL.
"""
