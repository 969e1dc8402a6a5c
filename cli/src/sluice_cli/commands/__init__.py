"""The commands of the plugin, and their arguments."""
