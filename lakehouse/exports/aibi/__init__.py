"""Pages and checks as dashboards and alerts of Databricks, for its bundle."""
