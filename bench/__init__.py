"""What a request costs, measured beside nginx, Envoy and other gateways."""
