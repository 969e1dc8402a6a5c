"""`kubectl sluice version`: the versions of the plugin, of the API and of the operator, and whether they fit."""

from __future__ import annotations

import argparse
import json
import re

from .. import VERSION
from ..contract import contract
from ..model.fields import objects, text
from ..model.fleet import Unseen
from ..transport import NoAccessError, NotFoundError, TransportError
from ..views.documents import document, formatted
from .cluster_requests import DEPLOYMENT_PATH, OPERATOR_LEASE, SYSTEM_NAMESPACE
from .context import DONE, NOT_REACHED, Context
from .reading import finished

_MINOR = re.compile(r"v?(\d+)\.(\d+)(\.|$)")


def run_version(options: argparse.Namespace, context: Context) -> int:
    """Show the versions. Return the exit code: 1 if the plugin does not support the operator's version."""
    operator, problem = ("", "not asked for") if options.client else _operator_version(context)
    skew = skew_sentence(VERSION, operator)
    if options.output in ("json", "yaml"):
        content = {"plugin": VERSION, "api": contract()["apiVersion"], "operator": operator, "problem": skew or problem}
        found = document("Version", content)
        context.write(formatted(options.output, found))
    else:
        context.write(f"plugin    {VERSION}", f"API       {contract()['apiVersion']}")
        if not options.client:
            context.write(f"operator  {operator or problem}")
        if skew:
            context.write(skew)
    return NOT_REACHED if skew else DONE


def _operator_version(context: Context) -> tuple[str, str]:
    """Return the tag of the operator's image, or why it could not be seen."""
    try:
        deployment = json.loads(finished(context.kubectl.start_read(DEPLOYMENT_PATH)))
    except NotFoundError:
        return "", f"not found: there is no Deployment {OPERATOR_LEASE} in {SYSTEM_NAMESPACE}"
    except NoAccessError:
        return "", f"not visible: you may not get the Deployment {OPERATOR_LEASE} in {SYSTEM_NAMESPACE}"
    except TransportError as error:
        return "", f"not visible: {error}"
    containers = objects(deployment, "spec", "template", "spec", "containers")
    image = next((text(each, "image") for each in containers if text(each, "name") == "operator"), "")
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    return (tag, "") if tag else ("", f"not known: its image has no tag ({image})")


def operator_skew(context: Context) -> tuple[str, tuple[Unseen, ...]]:
    """Return what to do if the versions of plugin and operator do not fit, and whether the operator's is not known."""
    operator, problem = _operator_version(context)
    why = problem.replace("not visible: ", "", 1)
    return skew_sentence(VERSION, operator), (Unseen("the operator's version", why),) if why else ()


def skew_sentence(plugin: str, operator: str) -> str:
    """Return what to do if the versions differ by more than one minor; empty if they fit, or one is not a version."""
    own, other = _MINOR.match(plugin), _MINOR.match(operator)
    if own is None or other is None:
        return ""
    is_near = own[1] == other[1] and abs(int(own[2]) - int(other[2])) <= 1
    if is_near:
        return ""
    return (
        f"This plugin works with operators that are at most one minor version away: install version {operator} of it."
    )
