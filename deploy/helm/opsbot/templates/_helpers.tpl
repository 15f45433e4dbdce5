{{- define "opsbot.fullname" -}}
{{- if contains "opsbot" .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-opsbot" (.Release.Name | trunc 45 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "opsbot.selector" -}}
app.kubernetes.io/name: opsbot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "opsbot.labels" -}}
{{ include "opsbot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "opsbot.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "opsbot.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "opsbot.secret" -}}
{{- .Values.existingSecret | default (include "opsbot.fullname" .) -}}
{{- end -}}

{{- /* Kinds that belong to no namespace: the name in denied_kinds, the resource in RBAC rules. */ -}}
{{- define "opsbot.clusterScoped" -}}
IngressClass: ingressclasses
MutatingWebhookConfiguration: mutatingwebhookconfigurations
Node: nodes
PersistentVolume: persistentvolumes
StorageClass: storageclasses
ValidatingWebhookConfiguration: validatingwebhookconfigurations
{{- end -}}

{{- /* The rules of a Role (a dict with `root` and `isCluster`), from the one list in files/. */ -}}
{{- define "opsbot.rules" -}}
{{- $clusterScoped := values (include "opsbot.clusterScoped" .root | fromYaml) -}}
{{- range (.root.Files.Get "files/clusterrole.yaml" | fromYaml).rules }}
{{- $resources := list }}
{{- range .resources }}
{{- if or $.isCluster (not (has . $clusterScoped)) }}
{{- $resources = append $resources . }}
{{- end }}
{{- end }}
{{- if $resources }}
- apiGroups: {{ toJson .apiGroups }}
  resources: {{ toJson $resources }}
  verbs: {{ toJson .verbs }}
{{- end }}
{{- end }}
{{- if .root.Values.rbac.tlsSecrets }}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
{{- end }}
{{- end -}}

{{- /* The file OPSBOT_CONFIG; with Roles alone it asks for nothing that they do not grant. */ -}}
{{- define "opsbot.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- with .Values.rbac.namespaces -}}
{{- if not $config.clusters -}}
{{- $_ := set $config "clusters" (list (dict "name" "default" "namespaces" .)) -}}
{{- end -}}
{{- $denied := concat ($config.denied_kinds | default list) (keys (include "opsbot.clusterScoped" $ | fromYaml)) -}}
{{- $_ := set $config "denied_kinds" ($denied | uniq | sortAlpha) -}}
{{- end -}}
{{- if $config }}{{ toYaml $config }}{{ end -}}
{{- end -}}

{{- define "opsbot.listens" -}}
{{- if or .Values.http.enabled (eq (.Values.settings.SLACK_MODE | default "socket") "http") }}true{{ end -}}
{{- end -}}

{{- /* Whether servers keep everything, so that pods may stand beside each other. */ -}}
{{- define "opsbot.isShared" -}}
{{- if and .Values.postgresql .Values.settings.QDRANT_URL }}true{{ end -}}
{{- end -}}

{{- /* Whether a folder has to outlive the pod. */ -}}
{{- define "opsbot.keepsData" -}}
{{- if and .Values.persistence.enabled (not (include "opsbot.isShared" .)) }}true{{ end -}}
{{- end -}}

{{- /* The ports of the addresses in `settings`, a JSON list of numbers under `ports`. */ -}}
{{- define "opsbot.ports" -}}
{{- $ports := list 443 6443 -}}
{{- if .Values.postgresql }}{{ $ports = append $ports 5432 }}{{ end -}}
{{- range $name, $value := .Values.settings -}}
{{- if or (hasSuffix "_URL" $name) (hasSuffix "_ENDPOINT" $name) -}}
{{- with $value -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $ports = append $ports (int (default (ternary "443" "80" (eq $url.scheme "https")) $port)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson (dict "ports" ($ports | uniq)) -}}
{{- end -}}

{{- define "opsbot.check" -}}
{{- if gt (int .Values.replicaCount) 1 -}}
{{- if not .Values.settings.QDRANT_URL -}}
{{- fail "\n\nreplicaCount is more than 1, but the embedded index is for one process: set settings.QDRANT_URL to a Qdrant server." -}}
{{- end -}}
{{- if not .Values.postgresql -}}
{{- fail "\n\nreplicaCount is more than 1, but SQLite is for one process: put a STATE_URL that begins with postgresql+asyncpg:// into the Secret and set postgresql: true." -}}
{{- end -}}
{{- end -}}
{{- if and .Values.existingSecret .Values.secrets -}}
{{- fail "\n\nexistingSecret and secrets are both set: put all of them into your Secret." -}}
{{- end -}}
{{- if not .Values.existingSecret -}}
{{- if not .Values.secrets.SLACK_BOT_TOKEN -}}
{{- fail "\n\nThere is no Slack token: set existingSecret to the name of a Secret with SLACK_BOT_TOKEN and SLACK_APP_TOKEN (see docs/installing.md)." -}}
{{- end -}}
{{- if and .Values.postgresql (not (hasPrefix "postgresql" (.Values.secrets.STATE_URL | default ""))) -}}
{{- fail "\n\npostgresql is true, but secrets.STATE_URL does not begin with postgresql." -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not (include "opsbot.listens" .)) -}}
{{- fail "\n\ningress.enabled needs a port to lead to: set settings.SLACK_MODE to http, or http.enabled." -}}
{{- end -}}
{{- end -}}
