"""Shopify's GraphQL Admin API."""

from ingestion.connectors.shopify.connector import Shopify

__all__ = ["Shopify"]
