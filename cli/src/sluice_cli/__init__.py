"""`kubectl sluice`: shows, pauses and resumes feeds, with kubectl as its transport."""

VERSION = "0.1.0"
