"""Shopify's GraphQL Admin API on loopback."""

from sampledata.servers.shopify.answers import Answers
from sampledata.servers.shopify.server import SCOPES, Fault, Server, serve
from sampledata.servers.shopify.shop import Shop

__all__ = ["SCOPES", "Answers", "Fault", "Server", "Shop", "serve"]
