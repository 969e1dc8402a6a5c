"""How a value is written into an object, in Helm's language."""

from __future__ import annotations

from typing import NamedTuple


class Inline(NamedTuple):
    """`key: {{ expression }}`, for what is always there."""

    expression: str

    def lines(self, key: str) -> list[str]:
        """The lines that stand for the key, at no indentation."""
        return [f"{key}: {{{{ {self.expression} }}}}"]


class Optional(NamedTuple):
    """A key with one word, left out while the value is empty."""

    value: str

    def lines(self, key: str) -> list[str]:
        """The lines that stand for the key, at no indentation."""
        return [f"{{{{- with .Values.{self.value} }}}}", f"{key}: {{{{ . | quote }}}}", "{{- end }}"]


class Block(NamedTuple):
    """A key with a map or a list, left out while the value is empty."""

    value: str

    def lines(self, key: str) -> list[str]:
        """The lines that stand for the key, at no indentation."""
        return [f"{{{{- with .Values.{self.value} }}}}", f"{key}:", "  {{- toYaml . | nindent INDENT }}", "{{- end }}"]


class Variable(NamedTuple):
    """An environment variable, left out while the value is empty. A list is joined by commas."""

    name: str
    value: str
    joined: bool = False

    def lines(self, _: str) -> list[str]:
        """The lines that stand for the list item, at no indentation."""
        content = '. | join ","' if self.joined else "."
        return [
            f"{{{{- with .Values.{self.value} }}}}",
            f"- name: {self.name}",
            f"  value: {{{{ {content} | quote }}}}",
            "{{- end }}",
        ]


Insert = Inline | Optional | Block | Variable


def indented(insert: Insert, key: str, column: int) -> list[str]:
    """The insert's lines at a column. Helm's own control lines may stand anywhere, and stay at the edge."""
    return [
        line if line.startswith("{{-") else " " * column + line.replace("INDENT", str(column + 2))
        for line in insert.lines(key)
    ]
