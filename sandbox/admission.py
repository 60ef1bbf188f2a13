"""What the cluster itself fills in and refuses in every sandbox. Pure: the two admission policies.

The mutating policy makes `kubectl create deployment` work under Pod Security `restricted`; the validating
one refuses what `restricted` does not cover. Both act on namespaces that carry the sandbox label, whoever
creates the Pod and by whichever way.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from sandbox.manifests import MANAGED_BY
from sandbox.plan import SANDBOX_LABEL, TOOLBOX_NAMESPACE
from sandbox.rights import KEEPER

Manifest: TypeAlias = dict[str, Any]

API_VERSION = "admissionregistration.k8s.io/v1"
FILL = "glasshull-fill"
RULES = "glasshull-rules"
SERVICES = "glasshull-services"
OBJECTS = "glasshull-objects"
SECRETS = "glasshull-secrets"
VALIDATING = (RULES, SERVICES, OBJECTS, SECRETS)
FENCE = "glasshull-keeper-fence"

MOST_GRACE_SECONDS = 60
# More containers than this in one Pod get no `capabilities.drop` filled in, and Pod Security says so.
MOST_CONTAINERS = 12
_TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
IMAGE = rf"^(docker[.]io/)?app/[a-z0-9]+([._/-]+[a-z0-9]+)*:{_TAG}(@sha256:[a-f0-9]{{64}})?$"

_IN_SANDBOXES = {"namespaceSelector": {"matchExpressions": [{"key": SANDBOX_LABEL, "operator": "Exists"}]}}


def policies() -> list[Manifest]:
    """Policies and their bindings, in an order in which each can be created."""
    return [
        fill_policy(),
        _binding("MutatingAdmissionPolicyBinding", FILL),
        rules_policy(),
        services_policy(),
        objects_policy(),
        secrets_policy(),
        *(
            _binding("ValidatingAdmissionPolicyBinding", name, validationActions=["Deny"])
            for name in VALIDATING
        ),
        fence_policy(),
        _binding("ValidatingAdmissionPolicyBinding", FENCE, everywhere=True, validationActions=["Deny"]),
    ]


# --- filling in -------------------------------------------------------------------------------------
# Three kinds of containers, one rule: set what is not set. A privileged container is left alone, so that
# Pod Security answers in its own words.
def fill_policy() -> Manifest:
    """runAsNonRoot, runAsUser, seccompProfile, allowPrivilegeEscalation, capabilities.drop, pull policy."""
    return _policy(
        "MutatingAdmissionPolicy",
        FILL,
        matchConstraints=_match(_rule([""], ["v1"], ["pods"], ["CREATE"])),
        reinvocationPolicy="IfNeeded",
        failurePolicy="Fail",
        variables=[_listed(field) for field in _LISTS],
        mutations=[
            {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": _fill_expression()}},
            {"patchType": "JSONPatch", "jsonPatch": {"expression": _drop_expression()}},
        ],
    )


_LISTS = ("containers", "initContainers")


def _listed(field: str) -> Manifest:
    """A Pod without containers comes as null, and a policy that fails on it hides the real answer."""
    value = f"object.spec.?{field}.orValue(null) == null ? [] : object.spec.{field}"
    return {"name": field, "expression": value}


def _fill_expression() -> str:
    pod = "Object.spec.securityContext"
    given = "object.spec.?securityContext"
    profile = f'{pod}.seccompProfile{{type: "RuntimeDefault"}}'
    fields = [
        _unless(f"{given}.?runAsNonRoot.hasValue()", "runAsNonRoot", "true"),
        _unless(f"{given}.?runAsUser.hasValue()", "runAsUser", "1000"),
        _unless(f"{given}.?seccompProfile.hasValue()", "seccompProfile", profile),
    ]
    lists = [
        _unless(
            f"variables.{field}.size() == 0",
            field,
            f"variables.{field}.map(c, {_container(field)})",
        )
        for field in _LISTS
    ]
    context = f"{pod}{{{', '.join(fields)}}}"
    return f"Object{{spec: Object.spec{{securityContext: {context}, {', '.join(lists)}}}}}"


def _container(field: str) -> str:
    kind = f"Object.spec.{field}"
    context = f"{kind}.securityContext{{allowPrivilegeEscalation: false}}"
    fields = [
        "name: c.name",
        _unless('c.?imagePullPolicy.orValue("") == "Never"', "imagePullPolicy", '"IfNotPresent"'),
        _unless(_leave_alone("c", "allowPrivilegeEscalation"), "securityContext", context),
    ]
    return f"{kind}{{{', '.join(fields)}}}"


def _unless(condition: str, field: str, value: str) -> str:
    """An optional field of a CEL object."""
    return f"?{field}: {condition} ? optional.none() : optional.of({value})"


def _leave_alone(container: str, field: str) -> str:
    context = f"{container}.?securityContext"
    return f"({context}.?{field}.hasValue() || {context}.?privileged.orValue(false))"


def _drop_expression() -> str:
    """`capabilities.drop` is an atomic list, which ApplyConfiguration may not touch: a JSON patch adds it."""
    indices = list(range(MOST_CONTAINERS))
    parts = []
    for field in _LISTS:
        one = f"variables.{field}[i]"
        path = f'"/spec/{field}/" + string(i) + "/securityContext'
        needs = f"i < variables.{field}.size() && !{_leave_alone(one, 'capabilities')}"
        indexed = f"{indices}.filter(i, {needs})"
        # The context exists where the mutation before this one filled it in; elsewhere it was given.
        parts.append(
            f'{indexed}.map(i, JSONPatch{{op: "add", path: {path}/capabilities", '
            'value: Object.spec.containers.securityContext.capabilities{drop: ["ALL"]}})'
        )
    return " + ".join(parts)


# --- refusing ---------------------------------------------------------------------------------------
_TEMPLATE = (
    "has(object.spec.template) ? object.spec.template.spec : "
    "(has(object.spec.jobTemplate) ? object.spec.jobTemplate.spec.template.spec : object.spec)"
)
# Lists that are absent or null count as empty: what is missing is told by the API server, better than by us.
_ALL_CONTAINERS = " + ".join(
    f"(variables.pod.?{field}.orValue(null) == null ? [] : variables.pod.{field})"
    for field in ("containers", "initContainers", "ephemeralContainers")
)
# What Kubernetes itself adds to Pods at admission, and to the Pods of a DaemonSet.
_OWN_TOLERATIONS = '["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]'
_DAEMON_SETS = '"system:serviceaccount:kube-system:daemon-set-controller"'


def rules_policy() -> Manifest:
    """For Pods and for every template of Pods, so that a beginner hears it when applying, not in an event."""
    foreign = f"variables.all.filter(c, !c.image.matches('{IMAGE}') || c.image.contains(':latest'))"
    return _policy(
        "ValidatingAdmissionPolicy",
        RULES,
        failurePolicy="Fail",
        matchConstraints=_match(
            _rule([""], ["v1"], ["pods"], ["CREATE", "UPDATE"]),
            _rule([""], ["v1"], ["pods/ephemeralcontainers"], ["UPDATE"]),
            _rule(
                ["apps"],
                ["v1"],
                ["deployments", "replicasets", "statefulsets", "daemonsets"],
                ["CREATE", "UPDATE"],
            ),
            _rule(["batch"], ["v1"], ["jobs", "cronjobs"], ["CREATE", "UPDATE"]),
        ),
        variables=[
            {"name": "pod", "expression": _TEMPLATE},
            {"name": "all", "expression": _ALL_CONTAINERS},
            {"name": "foreign", "expression": foreign},
        ],
        validations=[
            {
                "expression": "variables.foreign.size() == 0",
                "messageExpression": (
                    "'The image `' + variables.foreign[0].image + '` is not one of this course: image names "
                    "here begin with `app/` and end with a version, like `app/storefront:1.0`, not `latest`.'"
                ),
                "message": "This image is not one of this course.",
            },
            # A bound Pod carries its node's name in every later update; only the template's author chooses.
            _refuse(
                "(object.kind == 'Pod' && request.operation == 'UPDATE')"
                " || variables.pod.?nodeName.orValue('') == ''",
                "`nodeName` skips the scheduler: leave it out, and the scheduler picks a node.",
            ),
            _refuse(
                "variables.pod.?tolerations.orValue([]).all(t, t.?key.orValue('') in "
                f"{_OWN_TOLERATIONS} || (request.userInfo.username == {_DAEMON_SETS} && "
                "t.?key.orValue('').startsWith('node.kubernetes.io/')) || (object.kind == 'Pod' && "
                "request.operation == 'UPDATE' && t.?key.orValue('').startsWith('node.kubernetes.io/')))",
                "`tolerations` are not used in this course's shared cluster: leave them out.",
            ),
            _refuse(
                "variables.pod.?priorityClassName.orValue('') == ''",
                "`priorityClassName` would push other Pods aside: leave it out.",
            ),
            _refuse(
                f"variables.pod.?terminationGracePeriodSeconds.orValue(30) <= {MOST_GRACE_SECONDS}",
                f"`terminationGracePeriodSeconds` may be at most {MOST_GRACE_SECONDS} here.",
            ),
            _refuse(
                "variables.pod.?serviceAccountName.orValue('default') in ['', 'default']",
                "`serviceAccountName` would give the Pod a key to the cluster: leave it out.",
            ),
            # Also catches what `automountServiceAccountToken: true` makes the API server add.
            _refuse(
                "variables.pod.?volumes.orValue([]).all(v, "
                "v.?projected.?sources.orValue([]).all(s, !has(s.serviceAccountToken)))",
                "A Pod of this course gets no key to the cluster: leave out `automountServiceAccountToken` "
                "and volumes with a `serviceAccountToken`.",
            ),
            _refuse(
                "variables.pod.?volumes.orValue([]).all(v, !has(v.image))",
                "`image` volumes are not used in this course: leave them out.",
            ),
            # Pod Security refuses these in Pods; in a template it would be heard only in an event.
            *(_refuse(f"object.kind == 'Pod' || ({rule})", message) for rule, message in _TEMPLATE_RULES),
        ],
    )


_EVERY = "variables.all.all(c, {})"
_TEMPLATE_RULES: list[tuple[str, str]] = [
    (
        _EVERY.format("!c.?securityContext.?privileged.orValue(false)"),
        "`privileged: true` would give a container the whole machine: leave it out.",
    ),
    (
        _EVERY.format("!c.?securityContext.?allowPrivilegeEscalation.orValue(false)"),
        "`allowPrivilegeEscalation: true` is not allowed here: leave it out.",
    ),
    (
        _EVERY.format("c.?securityContext.?capabilities.?add.orValue([]).all(a, a == 'NET_BIND_SERVICE')"),
        "`capabilities.add` may only name NET_BIND_SERVICE here.",
    ),
    (
        _EVERY.format("c.?securityContext.?runAsUser.orValue(1000) != 0")
        + " && variables.pod.?securityContext.?runAsUser.orValue(1000) != 0",
        "`runAsUser: 0` is root: name another user, or leave it out.",
    ),
    (
        _EVERY.format("c.?securityContext.?runAsNonRoot.orValue(true)")
        + " && variables.pod.?securityContext.?runAsNonRoot.orValue(true)",
        "`runAsNonRoot: false` is not allowed here: leave it out.",
    ),
    (
        "['hostNetwork', 'hostPID', 'hostIPC'].all(f, !variables.pod[?f].orValue(false))",
        "`hostNetwork`, `hostPID` and `hostIPC` would put the Pod into the node's own space: leave them out.",
    ),
    (
        _EVERY.format("c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0)"),
        "`hostPort` opens a port of the node itself: use a Service.",
    ),
    (
        "variables.pod.?volumes.orValue([]).all(v, !has(v.hostPath))",
        "A `hostPath` volume reads the node's own files: use emptyDir, a ConfigMap or a volume claim.",
    ),
]


def services_policy() -> Manifest:
    return _policy(
        "ValidatingAdmissionPolicy",
        SERVICES,
        failurePolicy="Fail",
        matchConstraints=_match(_rule([""], ["v1"], ["services"], ["CREATE", "UPDATE"])),
        validations=[
            {
                "expression": "object.spec.?type.orValue('ClusterIP') == 'ClusterIP'",
                "messageExpression": (
                    "'A Service of type `' + object.spec.type + '` reaches outside this sandbox: use "
                    "`ClusterIP`, or leave `type` out.'"
                ),
                "message": "Only Services of type ClusterIP are allowed here.",
            },
            _refuse(
                "object.spec.?externalIPs.orValue([]).size() == 0",
                "`externalIPs` would catch other people's traffic: leave it out.",
            ),
        ],
    )


def objects_policy() -> Manifest:
    """A finalizer of a student's own would keep the namespace from being removed."""
    own = (
        '["kubernetes.io/pvc-protection", "batch.kubernetes.io/job-tracking", "foregroundDeletion", "orphan",'
        ' "service.kubernetes.io/load-balancer-cleanup"]'
    )
    return _policy(
        "ValidatingAdmissionPolicy",
        OBJECTS,
        failurePolicy="Fail",
        matchConstraints=_match(
            _rule(
                ["", "apps", "batch", "autoscaling", "policy"],
                ["*"],
                [
                    "pods",
                    "services",
                    "configmaps",
                    "secrets",
                    "persistentvolumeclaims",
                    "deployments",
                    "replicasets",
                    "statefulsets",
                    "daemonsets",
                    "jobs",
                    "cronjobs",
                    "horizontalpodautoscalers",
                    "poddisruptionbudgets",
                ],
                ["CREATE", "UPDATE"],
            )
        ),
        validations=[
            _refuse(
                f"object.metadata.?finalizers.orValue([]).all(f, f in {own})",
                "`finalizers` would keep this object from being deleted: leave them out.",
            )
        ],
    )


def secrets_policy() -> Manifest:
    return _policy(
        "ValidatingAdmissionPolicy",
        SECRETS,
        failurePolicy="Fail",
        matchConstraints=_match(_rule([""], ["v1"], ["secrets"], ["CREATE", "UPDATE"])),
        validations=[
            _refuse(
                "!(object.?type.orValue('Opaque') in "
                "['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token'])",
                "A Secret of this type would be a key to the cluster that never expires: use type Opaque.",
            )
        ],
    )


def fence_policy() -> Manifest:
    """RBAC cannot say "only in namespaces with our label", so what makes sandboxes would otherwise be able to
    make a privileged Pod anywhere, and with it be root on the machine."""
    ours = f"'{SANDBOX_LABEL}' in {{0}}.metadata.?labels.orValue({{{{}}}})"
    inside = f"namespaceObject.metadata.name == '{TOOLBOX_NAMESPACE}' || " + ours.format("namespaceObject")
    level = "'pod-security.kubernetes.io/enforce'"
    made = f"object.metadata.?labels[?{level}].orValue('') == 'restricted' && " + ours.format("object")
    return _policy(
        "ValidatingAdmissionPolicy",
        FENCE,
        failurePolicy="Fail",
        matchConstraints={
            "resourceRules": [
                {
                    "apiGroups": ["*"],
                    "apiVersions": ["*"],
                    "resources": ["*/*"],
                    "operations": ["CREATE", "UPDATE", "DELETE", "CONNECT"],
                }
            ]
        },
        matchConditions=[{"name": "keeper", "expression": f"request.userInfo.username == '{KEEPER}'"}],
        validations=[
            _refuse(
                f"request.resource.resource == 'namespaces' || namespaceObject == null || {inside}",
                "The keeper acts in sandboxes and among toolboxes only.",
            ),
            _refuse(
                "request.resource.resource != 'namespaces' || request.operation == 'DELETE' || "
                f"object == null || ({made})",
                "The keeper makes sandboxes only, and those are restricted.",
            ),
            _refuse(
                "request.resource.resource != 'namespaces' || request.operation == 'CREATE' || "
                "oldObject == null || " + ours.format("oldObject"),
                "The keeper changes and removes sandboxes only.",
            ),
        ],
    )


def _refuse(expression: str, message: str) -> Manifest:
    """A rule that must hold, and what a beginner reads when it does not."""
    return {"expression": expression, "message": message}


def _policy(kind: str, name: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "labels": dict(MANAGED_BY)},
        "spec": spec,
    }


def _binding(kind: str, name: str, *, everywhere: bool = False, **spec: Any) -> Manifest:
    where = {} if everywhere else {"matchResources": _IN_SANDBOXES}
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "labels": dict(MANAGED_BY)},
        "spec": {"policyName": name, **where, **spec},
    }


def _match(*rules: Manifest) -> Manifest:
    return {"resourceRules": list(rules), **_IN_SANDBOXES}


def _rule(groups: list[str], versions: list[str], resources: list[str], operations: list[str]) -> Manifest:
    return {
        "apiGroups": groups,
        "apiVersions": versions,
        "resources": resources,
        "operations": operations,
        "scope": "Namespaced",
    }
