{{/* atrium.emptyData is the volume "data" of a StatefulSet that keeps nothing. */}}
{{- define "atrium.emptyData" -}}
{{- if eq .type "emptyDir" -}}
- name: data
  emptyDir:
    sizeLimit: {{ .size }}
{{- end -}}
{{- end -}}

{{/* atrium.claim is the volume "data" of a StatefulSet that keeps it. */}}
{{- define "atrium.claim" -}}
{{- if eq .type "pvc" -}}
volumeClaimTemplates:
  - apiVersion: v1
    kind: PersistentVolumeClaim
    metadata:
      name: data
    spec:
      accessModes: [ReadWriteOnce]
      {{- with .storageClassName }}
      storageClassName: {{ . }}
      {{- end }}
      resources:
        requests:
          storage: {{ .size }}
{{- end -}}
{{- end -}}

{{- define "atrium.nats.affinity" -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "atrium.selectorLabels" . | nindent 12 }}
{{- end -}}
