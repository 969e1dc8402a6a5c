"""The tasks of the pod, over ports: steer, supervise, flush, beat. No vendor's name is known here."""
