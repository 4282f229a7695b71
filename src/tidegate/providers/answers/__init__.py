"""What an answer says, whole or as a stream, and one made of the other."""
