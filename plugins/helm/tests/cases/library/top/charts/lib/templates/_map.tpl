{{- define "lib.map" -}}
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .name }}}
data:
  chart: {{ .root.Chart.Name }}
{{- end }}
