"""Running the lakehouse: command line, settings, engines, steps, reading, charts."""
