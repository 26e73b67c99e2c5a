{{ define "outer" }}
{{ include "inner" .Values }}
{{ end }}{{ define "inner" }}{{ .a.b.c }}{{ end }}