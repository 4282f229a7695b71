"""TLS contexts. The upstream's certificate and name are always verified; there is no way to turn that off."""

import ssl

from tidegate.model.snapshot import Tls


def client_context(ca_file: str = "") -> ssl.SSLContext:
    """For connections to an upstream: trusts the system's authorities, or with `ca_file` (PEM) only those in it.

    Raises `OSError` (which `ssl.SSLError` is) when the file cannot be read. Loading the system's authorities costs
    tens of milliseconds and some megabytes: share one context.
    """
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def server_context(tls: Tls) -> ssl.SSLContext:
    """For the public port. Raises `OSError` when a file cannot be read or key and certificate do not match."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    context.set_alpn_protocols(["http/1.1"])
    return context
