"""Shopify's GraphQL Admin API on loopback."""

from sampledata.servers.shopify.answers import Answers
from sampledata.servers.shopify.server import CUT_OFF, SCOPES, Server, serve
from sampledata.servers.shopify.shop import Shop

__all__ = ["CUT_OFF", "SCOPES", "Answers", "Server", "Shop", "serve"]
