"""Keys and signatures over bytes; knows nothing of events, storage or the network."""
