"""The tasks of the pod, over ports: spec watcher, supervisor, flusher, heartbeats, and what runs beside them.

No vendor's name is known here.
"""
