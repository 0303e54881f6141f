"""From a query to a ranking: understand, mask, channels, fuse, explain."""
