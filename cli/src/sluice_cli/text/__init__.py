"""Texts for people: instants and durations, glyphs and colors, and how they fit into the width of a terminal."""
