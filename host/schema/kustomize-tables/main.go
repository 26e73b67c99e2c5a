// Command kustomize-tables writes host/schema/src/kustomize/tables.rs: facts about what Kustomize 5.8.1 has built in.
//
// They are read from the program's own packages: the default transformer configuration, the merge keys of its
// OpenAPI document (Kubernetes 1.21.2) and which kinds have a namespace. Nothing but names, paths and flags is taken.
// The configuration sits in an internal package, so the command must run inside a copy of the module; see README.md.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/api/internal/plugins/builtinconfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

var out strings.Builder

func p(format string, args ...any) { fmt.Fprintf(&out, format, args...) }

func fieldSpecs(indent string, fs []types.FieldSpec) {
	for _, s := range fs {
		p("%sspec(%q, %q, %q, %q, %v),\n", indent, s.Group, s.Version, s.Kind, s.Path, s.CreateIfNotPresent)
	}
}

func table(name, doc string, fs []types.FieldSpec) {
	p("/// %s\n#[rustfmt::skip]\npub static %s: &[FieldSpec] = &[\n", doc, name)
	fieldSpecs("    ", fs)
	p("];\n\n")
}

func extension(s spec.Schema, key string) []string {
	switch v := s.Extensions[key].(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, x := range v {
			list = append(list, x.(string))
		}
		return list
	}
	return nil
}

func refName(s spec.Schema) string { return strings.TrimPrefix(s.Ref.String(), "#/definitions/") }

// A field is kept where a strategic merge below it differs from replacement.
type tables struct {
	defs  spec.Definitions
	known map[string]int // definition -> index of its type, -1 where nothing below it merges
	types [][]string
}

// shape gives the Rust text of what a schema is, or "" where nothing below it merges.
func (t *tables) shape(s spec.Schema) string {
	if name := refName(s); name != "" {
		if i := t.visit(name); i >= 0 {
			return fmt.Sprintf("Shape::Type(%d)", i)
		}
		return ""
	}
	if len(s.Type) == 1 && s.Type[0] == "array" {
		element := ""
		if s.Items != nil && s.Items.Schema != nil {
			element = t.shape(*s.Items.Schema)
		}
		merge := false
		if st := extension(s, "x-kubernetes-patch-strategy"); len(st) == 1 {
			for _, x := range strings.Split(st[0], ",") {
				merge = merge || x == "merge"
			}
		}
		if !merge && element == "" {
			return ""
		}
		keys := extension(s, "x-kubernetes-list-map-keys")
		if keys == nil {
			keys = extension(s, "x-kubernetes-patch-merge-key")
		}
		var quoted []string
		for _, k := range keys {
			quoted = append(quoted, fmt.Sprintf("%q", k))
		}
		of := "None"
		if element != "" {
			of = "Some(&" + element + ")"
		}
		return fmt.Sprintf("Shape::List { of: %s, merge: %v, keys: &[%s] }", of, merge, strings.Join(quoted, ", "))
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		if of := t.shape(*s.AdditionalProperties.Schema); of != "" {
			return fmt.Sprintf("Shape::Map { of: &%s }", of)
		}
	}
	return ""
}

func (t *tables) visit(name string) int {
	if i, ok := t.known[name]; ok {
		return i
	}
	t.known[name] = -1 // recursive definitions (JSONSchemaProps) hold no list that merges
	d := t.defs[name]
	var names, fields []string
	for n := range d.Properties {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		if s := t.shape(d.Properties[n]); s != "" {
			fields = append(fields, fmt.Sprintf("(%q, %s)", n, s))
		}
	}
	if len(fields) == 0 {
		return -1
	}
	t.types = append(t.types, append([]string{name}, fields...))
	t.known[name] = len(t.types) - 1
	return t.known[name]
}

func kinds(d spec.Schema) (list []yaml.TypeMeta) {
	exts, _ := d.Extensions["x-kubernetes-group-version-kind"].([]any)
	for _, x := range exts {
		m := x.(map[string]any)
		version := fmt.Sprint(m["version"])
		if g, _ := m["group"].(string); g != "" {
			version = g + "/" + version
		}
		list = append(list, yaml.TypeMeta{APIVersion: version, Kind: fmt.Sprint(m["kind"])})
	}
	return list
}

func main() {
	p("// Made by host/schema/kustomize-tables; do not edit.\n\n//! Tables of Kustomize 5.8.1 and its Kubernetes 1.21.2 schema.\n\n")
	p("use super::{FieldSpec, NameReference, Scope, Shape, Type, TypeOf, spec};\n\n")
	c := builtinconfig.MakeDefaultConfig()
	table("NAME_PREFIX", "Where `namePrefix` acts.", c.NamePrefix)
	table("NAME_SUFFIX", "Where `nameSuffix` acts.", c.NameSuffix)
	table("NAMESPACE", "Where `namespace` acts beside `metadata.namespace`.", c.NameSpace)
	table("COMMON_LABELS", "Where `commonLabels` acts.", c.CommonLabels)
	table("TEMPLATE_LABELS", "Where `labels` with `includeTemplates` acts.", c.TemplateLabels)
	table("COMMON_ANNOTATIONS", "Where `commonAnnotations` acts.", c.CommonAnnotations)
	table("VAR_REFERENCE", "Where `$(VAR)` is replaced.", c.VarReference)
	table("IMAGES", "Where `images` acts.", c.Images)
	table("REPLICAS", "Where `replicas` acts.", c.Replicas)
	if len(c.Labels) != 0 {
		panic("the labels table is no longer empty: add it")
	}
	p("/// Which fields hold the name of an object of which kind.\n#[rustfmt::skip]\npub static NAME_REFERENCES: &[NameReference] = &[\n")
	for _, n := range c.NameReference {
		p("    NameReference { group: %q, version: %q, kind: %q, referrers: &[\n", n.Group, n.Version, n.Kind)
		fieldSpecs("        ", n.Referrers)
		p("    ] },\n")
	}
	p("];\n\n")

	root := openapi.Schema()
	t := tables{defs: root.Definitions, known: map[string]int{}}
	var names []string
	for n := range root.Definitions {
		names = append(names, n)
	}
	sort.Strings(names)
	type entry struct {
		meta yaml.TypeMeta
		of   int
	}
	var entries []entry
	seen := map[yaml.TypeMeta]bool{}
	for _, n := range names {
		for _, k := range kinds(root.Definitions[n]) {
			if !seen[k] {
				seen[k] = true
				entries = append(entries, entry{k, t.visit(n)})
			}
		}
	}
	sort.Slice(entries, func(i, j int) bool {
		a, b := entries[i].meta, entries[j].meta
		return a.APIVersion < b.APIVersion || a.APIVersion == b.APIVersion && a.Kind < b.Kind
	})
	p("/// Types with a list that merges somewhere below.\n#[rustfmt::skip]\npub(super) static TYPES: &[Type] = &[\n")
	for i, fields := range t.types {
		p("    // %d %s\n    Type { fields: &[\n", i, fields[0])
		for _, f := range fields[1:] {
			p("        %s,\n", f)
		}
		p("    ] },\n")
	}
	p("];\n\n/// The types by the names of their definitions, sorted.\n#[rustfmt::skip]\npub(super) static DEFINITIONS: &[(&str, u16)] = &[\n")
	byName := make([]int, len(t.types))
	for i := range byName {
		byName[i] = i
	}
	sort.Slice(byName, func(i, j int) bool { return t.types[byName[i]][0] < t.types[byName[j]][0] })
	for _, i := range byName {
		p("    (%q, %d),\n", t.types[i][0], i)
	}
	p("];\n\n/// Every kind the schema knows, sorted.\n#[rustfmt::skip]\npub(super) static KINDS: &[TypeOf] = &[\n")
	for _, e := range entries {
		of := "None"
		if e.of >= 0 {
			of = fmt.Sprintf("Some(%d)", e.of)
		}
		p("    TypeOf { api_version: %q, kind: %q, index: %s },\n", e.meta.APIVersion, e.meta.Kind, of)
	}
	p("];\n\n/// Which kinds have a namespace, by the length of the kind, the kind, the group and the version; kinds that are missing count as namespaced.\n#[rustfmt::skip]\npub(super) static SCOPES: &[Scope] = &[\n")
	// the key of an entry: the length of its kind, the kind, the group, the version
	key := func(m yaml.TypeMeta) string {
		group, version, ok := strings.Cut(m.APIVersion, "/")
		if !ok {
			group, version = "", m.APIVersion
		}
		return fmt.Sprintf("%03d\x00%s\x00%s\x00%s", len(m.Kind), m.Kind, group, version)
	}
	sort.Slice(entries, func(i, j int) bool { return key(entries[i].meta) < key(entries[j].meta) })
	for _, e := range entries {
		if ns, ok := openapi.IsNamespaceScoped(e.meta); ok {
			p("    Scope { api_version: %q, kind: %q, namespaced: %v },\n", e.meta.APIVersion, e.meta.Kind, ns)
		}
	}
	p("];\n")
	if err := os.WriteFile(os.Args[1], []byte(out.String()), 0o644); err != nil {
		panic(err)
	}
}
