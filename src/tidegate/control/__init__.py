"""The control process: metrics and health on the admin port."""
