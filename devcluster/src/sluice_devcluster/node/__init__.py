"""The node agent: registers a Node, binds pods to it and runs their containers as local processes."""
