"""What the server tells its operators: the activelog tree in the seed's grammar, our own trace, health and metrics."""
