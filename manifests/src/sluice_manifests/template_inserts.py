"""Template text that writes a value of the chart into an object."""

from __future__ import annotations

from typing import NamedTuple


class RequiredExpression(NamedTuple):
    """A key that is always present: `key: {{ expression }}`."""

    expression: str

    def template_lines(self, key: str) -> list[str]:
        """Return the template lines that replace the key, without indentation."""
        return [f"{key}: {{{{ {self.expression} }}}}"]


class OptionalText(NamedTuple):
    """A key with a text, which is left out if the value is empty."""

    value: str

    def template_lines(self, key: str) -> list[str]:
        """Return the template lines that replace the key, without indentation."""
        return [f"{{{{- with .Values.{self.value} }}}}", f"{key}: {{{{ . | quote }}}}", "{{- end }}"]


class OptionalBlock(NamedTuple):
    """A key with a map or a list, which is left out if the value is empty."""

    value: str

    def template_lines(self, key: str) -> list[str]:
        """Return the template lines that replace the key, without indentation."""
        return [f"{{{{- with .Values.{self.value} }}}}", f"{key}:", "  {{- toYaml . | nindent INDENT }}", "{{- end }}"]


class OptionalVariable(NamedTuple):
    """An environment variable, which is left out if the value is empty. A list is joined with commas."""

    name: str
    value: str
    joined: bool = False

    def template_lines(self, _: str) -> list[str]:
        """Return the template lines of the list item, without indentation."""
        content = '. | join ","' if self.joined else "."
        return [
            f"{{{{- with .Values.{self.value} }}}}",
            f"- name: {self.name}",
            f"  value: {{{{ {content} | quote }}}}",
            "{{- end }}",
        ]


class FieldWithoutValue(NamedTuple):
    """A key with the scalar of the base, which is left out unless the value is empty."""

    value: str
    scalar: str  # as in JSON

    def template_lines(self, key: str) -> list[str]:
        """Return the template lines that replace the key, without indentation."""
        return [f"{{{{- if not .Values.{self.value} }}}}", f"{key}: {self.scalar}", "{{- end }}"]


TemplateInsert = RequiredExpression | OptionalText | OptionalBlock | OptionalVariable | FieldWithoutValue


def indented_lines(insert: TemplateInsert, key: str, column: int) -> list[str]:
    """Return the lines of the insert, indented to a column. Helm's control lines are not indented."""
    return [
        line if line.startswith("{{-") else " " * column + line.replace("INDENT", str(column + 2))
        for line in insert.template_lines(key)
    ]
