# ruff: noqa: E501, ISC004  (recorded sentences of the cluster are long)
"""The cluster's own sentences (Kubernetes 1.37, as recorded) become a line and a beginner's words."""

import pytest

from sandbox.errors import api_error
from sandbox.manifest_text import parse_manifests
from sandbox.refusals import explain, resolve

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: three
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
        - name: sidecar
          image: nginx
        - name: app
          image: app/storefront:1.0
          prots: []
          env:
            - {name: A, value: 8}
            - name: B
              value: true
          ports:
            - containerPort: http
          resources: {limits: {memory: 1Gb}}
          securityContext: {privileged: true}
"""
TYPED = "failed to create typed patch object (/shop; apps/v1, Kind=Deployment): "
CONTAINER = '.spec.template.spec.containers[name="app"]'
DENIED = "deployments.apps \"shop\" is forbidden: ValidatingAdmissionPolicy 'glasshull-rules' with binding 'glasshull-rules' denied request: "


def explained(status, message, causes=None, text=DEPLOYMENT):
    (manifest,) = parse_manifests(text)
    details = {"causes": causes} if causes else None
    return explain(manifest, api_error(status, {"reason": "", "message": message, "details": details}))


@pytest.mark.parametrize(
    ("status", "message", "line", "text"),
    [
        (500, TYPED + ".spec.replicas: expected numeric (int or float), got string", 6,
         "`replicas` wants a number, found `three`."),
        (500, TYPED + CONTAINER + ".prots: field not declared in schema", 18,
         "There is no field `prots` here. Did you mean `ports`?"),
        (500, TYPED + CONTAINER + '.env[name="A"].value: expected string, got &value.valueUnstructured{Value:8}', 20,
         '`value` wants text, found `8`: put it in quotes, `"8"`.'),
        (500, TYPED + CONTAINER + '.env[name="B"].value: expected string, got &value.valueUnstructured{Value:true}', 22,
         '`value` wants text, found `true`: put it in quotes, `"true"`.'),
        (500, TYPED + CONTAINER + '.ports[containerPort="http",protocol="TCP"].containerPort: expected numeric (int or '
         "float), got string", 24, "`containerPort` wants a number, found `http`."),
        (500, TYPED + CONTAINER + ".ports: expected list, got &{map[containerPort:80]}", 23,
         "`ports` wants a list (lines that begin with `-`), found a list."),
        (500, TYPED + CONTAINER + '.ports: duplicate entries for key [containerPort=80,protocol="TCP"]', 23,
         "`ports` holds two entries with the same key: each may stand there once."),
        (500, "failed to convert new object (/p; /v1, Kind=Pod) to proper version: unable to convert unstructured object "
         "to /v1, Kind=Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
         25, "`1Gb` is no quantity: write it like `64Mi` (memory) or `100m` (CPU)."),
        (422, DENIED + "The image `nginx` is not one of this course: image names here begin with `app/`.", 15,
         "The image `nginx` is not one of this course: image names here begin with `app/`."),
        (422, DENIED + "`privileged: true` would give a container the whole machine: leave it out.", 26,
         "`privileged: true` would give a container the whole machine: leave it out."),
        (403, 'pods "p" is forbidden: violates PodSecurity "restricted:v1.37": privileged (container "app" must not set '
         'securityContext.privileged=true), allowPrivilegeEscalation != false (container "app" must set it)', 26,
         "`privileged: true` would give a container the whole machine: leave it out."),
        (403, 'roles.rbac.authorization.k8s.io "r" is forbidden: User "system:serviceaccount:gh-aaaaaaaaaa:student" cannot '
         'patch resource "roles" in API group "rbac.authorization.k8s.io" in the namespace "gh-aaaaaaaaaa"', 2,
         "In this sandbox you have no right to make or change roles."),
        (403, 'deployments.apps "shop" is forbidden: User "system:serviceaccount:gh-aaaaaaaaaa:student" cannot '
         'patch resource "deployments" in API group "apps" in the namespace "gh-aaaaaaaaaa"', 2,
         "The cluster has only just come back and does not know your rights yet. Try again in a moment."),
        (403, 'pods "p2" is forbidden: exceeded quota: sandbox, requested: limits.memory=33554432,pods=1, used: '
         "limits.memory=134217728,pods=4, limited: limits.memory=134217728,pods=4", 2,
         "Your sandbox is full: 4 of at most 4 Pods are taken, and this needs 1 more. Delete something first."),
        (403, 'pods "p" is forbidden: exceeded quota: sandbox, requested: limits.memory=1Gi,requests.memory=1Gi, used: '
         "limits.memory=0,requests.memory=0, limited: limits.memory=134217728,requests.memory=134217728", 25,
         "This asks for 1Gi memory (limits); the whole sandbox has 128Mi. Ask for less."),
        (422, 'Pod "p" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`',
         5, "Of a Pod that exists only the image can be changed: delete Pod `shop` and apply again."),
        (500, "etcdserver: request is too large, 1048576 bytes\nwith more", 1,
         "etcdserver: request is too large, 1Mi bytes"),
    ],
)  # fmt: skip
def test_words_and_line(status, message, line, text):
    error = explained(status, message)
    assert (error.line, error.text) == (line, text)


@pytest.mark.parametrize(
    ("field", "reason", "message", "line", "text"),
    [
        ("spec.replicas", "FieldValueInvalid", "Invalid value: -1: must be greater than or equal to 0", 6,
         "`replicas`: must be greater than or equal to 0 (found -1)."),
        ("spec.template.spec.containers[1].ports[0].containerPort", "FieldValueInvalid",
         "Invalid value: 99999: must be between 1 and 65535, inclusive", 24,
         "`containerPort`: must be between 1 and 65535, inclusive (found 99999)."),
        ("spec.template.spec.containers[1].ports[0].name", "FieldValueRequired", "Required value", 24, "`name` is missing."),
        ("spec.selector", "FieldValueInvalid", 'Invalid value: {"matchLabels":{"app":"x"}}: field is immutable', 7,
         "`selector` cannot be changed once it exists: delete Deployment `shop` and apply again."),
        ("spec.template.metadata.labels", "FieldValueInvalid",
         'Invalid value: {"app":"other"}: `selector` does not match template `labels`', 11,
         "The labels of the template do not match `selector`: the Deployment would not know its own Pods."),
        ("metadata.name", "FieldValueInvalid", 'Invalid value: "P_x": a lowercase RFC 1123 subdomain must consist of', 4,
         "`shop` is no name: use small letters, digits and `-`, a letter or digit at both ends."),
        ("spec.template.spec.containers[1].resources.requests", "FieldValueInvalid",
         'Invalid value: "100Mi": must be less than or equal to memory limit of 33554432', 25,
         '`requests`: must be less than or equal to memory limit of 32Mi (found "100Mi").'),
        ("spec.template.spec.restartPolicy", "FieldValueNotSupported",
         'Unsupported value: "Sometimes": supported values: "Always"', 12,
         '`restartPolicy`: Unsupported value: "Sometimes": supported values: "Always".'),
    ],
)  # fmt: skip
def test_the_field_of_a_cause(field, reason, message, line, text):
    error = explained(422, "invalid", [{"field": field, "reason": reason, "message": message}])
    assert (error.line, error.text) == (line, text)
    assert error.column is not None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("spec.a[0].b", ("spec", "a", 0, "b")),
        ('.spec.a[name="x"].b', ("spec", "a", 1, "b")),
        ('.spec.a[name="x",protocol="TCP"].b', ("spec", "a", 1, "b")),
        ('.spec.a[name="none"].b', ("spec", "a")),
        ("metadata.labels[app.kubernetes.io/name]", ("metadata", "labels", "app.kubernetes.io/name")),
        ("spec.missing.deeper", ("spec", "missing", "deeper")),
        ("", ()),
    ],
)
def test_paths(text, path):
    body = {"spec": {"a": [{"name": "w"}, {"name": "x", "b": 1}]}, "metadata": {"labels": {}}}
    assert resolve(body, text) == path
