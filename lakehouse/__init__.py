"""Running the lakehouse: command line, settings, engines, display."""

import os
import time

# Sail reports each start and stop on standard error unless it is told otherwise before it is loaded.
os.environ.setdefault("RUST_LOG", "error")

# Spark hands timestamps to Python in the time zone of the process; here they are all UTC.
os.environ["TZ"] = "UTC"
time.tzset()
