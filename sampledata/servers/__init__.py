"""Servers on loopback that answer as vendors' APIs do, to test and show connectors with."""
