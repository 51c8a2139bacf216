"""The only code that knows engines: Sail and delta-rs in this process, Spark, and dbt."""

import os
import time

# Engines hand timestamps to Python in the time zone of the process; here they are all UTC.
os.environ["TZ"] = "UTC"
time.tzset()
# Of a process that ends at once, Python's own helper says that it left semaphores, and removes them.
os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
