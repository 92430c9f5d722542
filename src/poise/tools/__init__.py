"""What a person runs beside the server: sockets and processes allowed, the server's own rooms not."""
