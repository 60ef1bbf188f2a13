"""Say in a beginner's words, with the line, why the cluster refused a manifest. Pure.

The texts matched here are those of Kubernetes 1.37; what is not recognised is passed on as it came.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sandbox.errors import ApiError, Forbidden
from sandbox.manifest_text import Manifest, ManifestRefused, Path
from sandbox.manifests import student_rules

Found: TypeAlias = tuple[Path, str]  # where in the object, and what to say

_TYPED = re.compile(
    r"failed to create typed patch object .*?: (?P<path>\.[^\s]*?): (?P<problem>.*)", re.DOTALL
)
_PART = re.compile(r"\.?(?P<name>[^.\[\]]+)|\[(?P<inside>[^\]]*)\]")
_KEYED = re.compile(r'(?P<key>\w+)="?(?P<value>[^",]*)"?')
_QUANTITY = re.compile(r"^([+-]?[0-9.]+)(m|[kMGTPE]i?|[eE][+-]?[0-9]+)?$")
_INVALID = re.compile(
    r"^(?:Invalid value: (?P<value>\"(?:[^\"\\]|\\.)*\"|\{.*\}|\S+): )?(?P<rest>.*)$", re.DOTALL
)
_QUOTA = re.compile(
    r"exceeded quota: \S+, requested: (?P<requested>\S+), used: (?P<used>\S+), limited: (?P<limited>\S+)"
)
_DENIED = re.compile(
    r"ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request: (?P<text>.*)", re.DOTALL
)
_RIGHTS = re.compile(r"cannot (?P<verb>\w+) resource \"(?P<resource>[^\"]+)\"")
_BYTES = re.compile(r"\b\d{7,}\b")

# Fields of the objects beginners write, for "did you mean".
_FIELD_NAMES = """
apiVersion kind metadata spec name labels annotations replicas selector matchLabels matchExpressions template
strategy rollingUpdate maxSurge maxUnavailable minReadySeconds revisionHistoryLimit progressDeadlineSeconds
containers initContainers image imagePullPolicy command args workingDir ports containerPort hostPort protocol env
value valueFrom envFrom configMapRef configMapKeyRef secretKeyRef fieldRef fieldPath resources requests limits
cpu memory volumes volumeMounts mountPath subPath readOnly emptyDir configMap secret persistentVolumeClaim
claimName readinessProbe livenessProbe startupProbe httpGet tcpSocket exec path port scheme host periodSeconds
initialDelaySeconds timeoutSeconds failureThreshold successThreshold lifecycle preStop postStart
terminationGracePeriodSeconds restartPolicy securityContext runAsUser runAsNonRoot readOnlyRootFilesystem
nodeSelector affinity tolerations serviceAccountName targetPort nodePort clusterIP type sessionAffinity
serviceName volumeClaimTemplates accessModes storage completions parallelism backoffLimit schedule jobTemplate
data stringData binaryData minReplicas maxReplicas scaleTargetRef metrics
"""
_FIELDS = {name.lower(): name for name in re.findall(r"\w+", _FIELD_NAMES)}

# Pod Security's words (restricted, v1.37) and what a beginner should do, with the field it is about.
_POD_SECURITY: list[tuple[str, str, str]] = [
    (
        "privileged (",
        "privileged",
        "`privileged: true` would give a container the whole machine: leave it out.",
    ),
    (
        "host namespaces",
        "hostNetwork",
        "`hostNetwork`, `hostPID` and `hostIPC` are not allowed: leave them out.",
    ),
    (
        "hostPath",
        "hostPath",
        "A `hostPath` volume reads the node's own files: use emptyDir or a volume claim.",
    ),
    ("hostPort", "hostPort", "`hostPort` opens a port of the node itself: use a Service."),
    ("runAsUser=0", "runAsUser", "`runAsUser: 0` is root: name another user, or leave it out."),
    ("runAsNonRoot != true", "runAsNonRoot", "`runAsNonRoot: false` is not allowed: leave it out."),
    (
        "unrestricted capabilities",
        "capabilities",
        "`capabilities` may only drop ALL and add NET_BIND_SERVICE: leave it out.",
    ),
    (
        "allowPrivilegeEscalation != false",
        "allowPrivilegeEscalation",
        "`allowPrivilegeEscalation: true` is not allowed: leave it out.",
    ),
    ("seccompProfile", "seccompProfile", "`seccompProfile` may only be RuntimeDefault: leave it out."),
    ("procMount", "procMount", "`procMount` may not be changed: leave it out."),
    ("forbidden sysctls", "sysctls", "These `sysctls` may not be changed: leave them out."),
    (
        "restricted volume types",
        "volumes",
        "A volume of this type is not allowed: use emptyDir or a ConfigMap.",
    ),
]


def explain(manifest: Manifest, error: ApiError) -> ManifestRefused:
    """The refusal as line, column and a sentence for the student."""
    for rule in _RULES:
        found = rule(manifest, error)
        if found is not None:
            path, text = found
            line, column = manifest.place_of(path)
            return ManifestRefused(line, column, text)
    return ManifestRefused(manifest.line, 1, _readable(error.message))


# --- rules, most telling first ------------------------------------------------------------------------
def _typed(manifest: Manifest, error: ApiError) -> Found | None:
    """A value of the wrong type, or a field that does not exist: found before admission."""
    match = _TYPED.search(error.message)
    if match is None:
        return None
    path = resolve(manifest.object, match["path"])
    name, problem = _name(path), match["problem"]
    if "field not declared in schema" in problem:
        return path, _unknown_field(name)
    if "duplicate entries" in problem:
        return path, f"`{name}` holds two entries with the same key: each may stand there once."
    for words, wanted in _WANTED:
        if words in problem:
            return path, f"`{name}` wants {wanted}, found {_found(value_at(manifest.object, path), wanted)}."
    return path, f"`{name}`: {problem}."


_WANTED = [
    ("expected numeric", "a number"),
    ("expected string", "text"),
    ("expected boolean", "true or false"),
    ("expected bool", "true or false"),
    ("expected list", "a list (lines that begin with `-`)"),
    ("expected map", "keys below it"),
]


def _found(value: Any, wanted: str) -> str:
    if isinstance(value, dict):
        return "keys below it"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if wanted == "text":
        shown = str(value).lower() if isinstance(value, bool) else value
        return f'`{shown}`: put it in quotes, `"{shown}"`'
    return f"`{value}`"


def _unknown_field(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), _FIELDS, n=1, cutoff=0.75)
    if near and _FIELDS[near[0]] != name:
        return f"There is no field `{name}` here. Did you mean `{_FIELDS[near[0]]}`?"
    return f"There is no field `{name}` here. Is it indented under the right one?"


def _quantity(manifest: Manifest, error: ApiError) -> Found | None:
    if "quantities must match" not in error.message:
        return None
    for path in manifest.places:
        value = value_at(manifest.object, path)
        is_amount = {"requests", "limits"} & set(path[:-1]) and isinstance(value, str | int | float)
        if is_amount and not _QUANTITY.match(str(value)):
            return path, f"`{value}` is no quantity: write it like `64Mi` (memory) or `100m` (CPU)."
    return (), "A quantity is written like `64Mi` (memory) or `100m` (CPU)."


def _pod_security(manifest: Manifest, error: ApiError) -> Found | None:
    if "violates PodSecurity" not in error.message:
        return None
    for words, field, text in _POD_SECURITY:
        if words in error.message:
            return _find_key(manifest, field) or _find_key(manifest, "securityContext") or ("spec",), text
    return ("spec",), _readable(error.message)


def _exceeded(manifest: Manifest, error: ApiError) -> Found | None:
    match = _QUOTA.search(error.message)
    if match is None:
        return None
    requested, used, limited = (_amounts(match[part]) for part in ("requested", "used", "limited"))
    over = [name for name in requested if _is_over(name, requested, used, limited)]
    # Pods first: a sandbox that is full of Pods is full of everything, and Pods are what can be deleted.
    name = "pods" if "pods" in over or not over else over[0]
    path = (_find_key(manifest, "resources") if "memory" in name or "cpu" in name else None) or ("kind",)
    return path, _full(name, requested.get(name, "1"), used.get(name, "0"), limited.get(name, "0"))


def _is_over(
    name: str, requested: Mapping[str, str], used: Mapping[str, str], limited: Mapping[str, str]
) -> bool:
    return _amount(used.get(name, "0")) + _amount(requested[name]) > _amount(limited.get(name, "0"))


def _full(name: str, requested: str, used: str, limited: str) -> str:
    what = _RESOURCE_WORDS.get(name, name.removeprefix("count/"))
    asked, there, most = (_human(one) for one in (requested, used, limited))
    if _amount(requested) > _amount(limited):
        return f"This asks for {asked} {what}; the whole sandbox has {most}. Ask for less."
    return (
        f"Your sandbox is full: {there} of at most {most} {what} are taken, and this needs {asked} more. "
        "Delete something first."
    )


_RESOURCE_WORDS = {
    "pods": "Pods",
    "limits.memory": "memory (limits)",
    "requests.memory": "memory (requests)",
    "limits.cpu": "CPU (limits)",
    "requests.cpu": "CPU (requests)",
    "limits.ephemeral-storage": "disk space (limits)",
    "requests.ephemeral-storage": "disk space (requests)",
    "services": "Services",
    "configmaps": "ConfigMaps",
    "secrets": "Secrets",
    "persistentvolumeclaims": "PersistentVolumeClaims",
}


def _policy(manifest: Manifest, error: ApiError) -> Found | None:
    """Our own admission policies already speak to a beginner; find the line they mean."""
    match = _DENIED.search(error.message)
    if match is None:
        return None
    text = match["text"].strip()
    for word in re.findall(r"`([^`]+)`", text):
        key = word.split(":")[0]
        found = (
            _find_value(manifest, word)
            or _find_key(manifest, key)
            or _find_key(manifest, key.rpartition(".")[2])
        )
        if found:
            return found, text
    return ("spec",), text


def _rights(manifest: Manifest, error: ApiError) -> Found | None:
    match = _RIGHTS.search(error.message)
    if match is None or not isinstance(error, Forbidden):
        return None
    if match["resource"] in _granted():
        # An API server that has just started answers so until it has read the bindings: nobody's mistake.
        return (
            "kind",
        ), "The cluster has only just come back and does not know your rights yet. Try again in a moment."
    return ("kind",), f"In this sandbox you have no right to make or change {match['resource']}."


@functools.cache
def _granted() -> frozenset[str]:
    """Resources that every student may make and change."""
    return frozenset(
        name for rule in student_rules() if "patch" in rule["verbs"] for name in rule["resources"]
    )


def _pod_update(manifest: Manifest, error: ApiError) -> Found | None:
    if "pod updates may not change fields other than" not in error.message:
        return None
    return ("spec",), (
        f"Of a Pod that exists only the image can be changed: delete Pod `{manifest.name}` and apply again."
    )


def _cause(manifest: Manifest, error: ApiError) -> Found | None:
    """A field the API server's validation names."""
    causes = [one for one in error.details.get("causes") or [] if one.get("field")]
    if not causes:
        return None
    cause = causes[0]
    path = resolve(manifest.object, str(cause["field"]))
    return path, _cause_text(manifest, path, str(cause.get("reason", "")), str(cause.get("message", "")))


def _cause_text(manifest: Manifest, path: Path, reason: str, message: str) -> str:
    name = _name(path)
    if reason == "FieldValueRequired":
        return f"`{name}` is missing."
    if "field is immutable" in message:
        return f"`{name}` cannot be changed once it exists: delete {manifest.kind} `{manifest.name}` and apply again."
    if "does not match template" in message:
        return (
            "The labels of the template do not match `selector`: "
            f"the {manifest.kind} would not know its own Pods."
        )
    if "RFC 1123" in message or "RFC 1035" in message:
        value = value_at(manifest.object, path)
        return f"`{value}` is no name: use small letters, digits and `-`, a letter or digit at both ends."
    match = _INVALID.match(message)
    rest = _readable(match["rest"] if match else message)
    value = match["value"] if match else None
    found = f" (found {value})" if value and not value.startswith("{") and value != "0" else ""
    return f"`{name}`: {rest}{found}."


_RULES: list[Callable[[Manifest, ApiError], Found | None]] = [
    _typed,
    _quantity,
    _pod_security,
    _exceeded,
    _policy,
    _rights,
    _pod_update,
    _cause,
]


# --- paths ----------------------------------------------------------------------------------------------
def resolve(body: Any, text: str) -> Path:
    """`spec.containers[name="app"].ports[0]` as keys and indices of `body`, as far as it goes there.

    A last name that `body` does not have is kept: it is what is missing.
    """
    path: list[str | int] = []
    here = body
    for match in _PART.finditer(text):
        step = _step(here, match["name"], match["inside"])
        if step is None:
            break
        path.append(step)
        here = _into(here, step)
    return tuple(path)


def _step(here: Any, name: str | None, inside: str | None) -> str | int | None:
    if name is not None:
        return name
    if inside is None:
        return None
    if isinstance(here, list):
        return int(inside) if inside.isdigit() else _index(here, inside)
    return inside


def _index(items: list[Any], inside: str) -> int | None:
    """The item whose fields are those given; fields it leaves to their defaults do not count against it."""
    wanted = {match["key"]: match["value"] for match in _KEYED.finditer(inside)}
    for index, item in enumerate(items):
        if isinstance(item, dict) and all(
            str(item[key]) == value for key, value in wanted.items() if key in item
        ):
            return index
    return None


def _into(here: Any, step: str | int) -> Any:
    if isinstance(here, dict):
        return here.get(step)
    if isinstance(here, list) and isinstance(step, int) and 0 <= step < len(here):
        return here[step]
    return None


def value_at(body: Any, path: Path) -> Any:
    """What stands at `path`; None when nothing does."""
    for step in path:
        body = _into(body, step)
    return body


def _name(path: Path) -> str:
    names = [step for step in path if isinstance(step, str)]
    return names[-1] if names else "this"


def _find_key(manifest: Manifest, key: str) -> Path | None:
    return next((path for path in manifest.places if path[-1] == key), None)


def _find_value(manifest: Manifest, text: str) -> Path | None:
    for path in manifest.places:
        value = value_at(manifest.object, path)
        if isinstance(value, str) and value == text:
            return path
    return None


# --- numbers --------------------------------------------------------------------------------------------
def _amounts(text: str) -> Mapping[str, str]:
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


_FACTORS = {
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def _amount(text: str) -> float:
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text)
    return float(match[1]) * _FACTORS.get(match[2], 1.0) if match else 0.0


def _human(text: str) -> str:
    """Byte counts as Mi; everything else as it is."""
    return f"{int(text) / 2**20:g}Mi" if text.isdigit() and int(text) >= 2**20 else text


def _readable(text: str) -> str:
    """The API server's sentence without byte counts, regular expressions and diffs."""
    text = text.split("\n", 1)[0]
    text = re.sub(r" \(e\.g\. .*regex used for validation is .*\)", "", text)
    text = _BYTES.sub(lambda match: _human(match[0]), text)
    return text.strip().rstrip(".")
