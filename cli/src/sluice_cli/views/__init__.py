"""The forms of the model: a table, a tree, JSON and YAML."""
