"""The rim: one vendor or protocol a file. A provider's packages are imported only where it is chosen."""
