"""What workers share over Redis or Valkey: the client, the exchange, the membership, and small values."""
