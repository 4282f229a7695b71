"""The gate's own policies in virtual time: tenants, clients and providers that exist only as numbers."""
