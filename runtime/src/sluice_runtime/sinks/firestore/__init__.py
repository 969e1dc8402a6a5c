"""The Firestore sink."""

from .lazy_libraries import LAZY_LIBRARIES, load_when_used

load_when_used(LAZY_LIBRARIES)  # before a module of this package imports Google's libraries
