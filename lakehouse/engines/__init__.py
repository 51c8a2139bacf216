"""The only code that knows engines: Sail and delta-rs in this process, Spark, and dbt."""

import os
import time

# Engines hand timestamps to Python in the time zone of the process; here they are all UTC.
os.environ["TZ"] = "UTC"
time.tzset()
