"""The node agent, which registers a Node, binds pods to it and runs their containers as local processes."""
