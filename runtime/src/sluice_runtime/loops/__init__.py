"""The pod's long-running tasks, written against ports: spec watcher, supervisor, flusher, heartbeats and others.

No module here depends on a vendor.
"""
