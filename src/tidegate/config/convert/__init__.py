"""Other gateways' files as files of ours: everything is carried over or said to be left, with the reason."""
