"""Running the lakehouse: command line, settings, engines, display."""

import os

# Sail reports each start and stop on standard error unless it is told otherwise before it is loaded.
os.environ.setdefault("RUST_LOG", "error")
