// Command yaml-oracle asks Go's YAML libraries what tricky documents mean and how values are printed.
//
// It writes one JSON object a line to standard output: the input and, for each library, the answer or the error text.
// host/yaml/tests/oracle.rs compares them with sluice-yaml. README.md tells how to make the file anew.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

// answer is what one library made of an input: text, or an error.
type answer struct {
	OK  string `json:"ok,omitempty"`
	Err string `json:"err,omitempty"`
}

type row struct {
	In string `json:"in"`
	// V2JSON: sigs.k8s.io/yaml, YAMLToJSON.
	V2JSON answer `json:"v2"`
	// V3JSON: yaml.v3 as Kustomize decodes objects, then encoding/json.
	V3JSON answer `json:"v3"`
	// V2YAML: the value of V3JSON (else of V2JSON) printed by sigs.k8s.io/yaml.
	V2YAML *answer `json:"out2,omitempty"`
	// V3YAML: the yaml.v3 node, encoded with indent 2; Compact likewise with compact sequences.
	V3YAML  *answer `json:"out3,omitempty"`
	Compact *answer `json:"out3c,omitempty"`
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "refused" {
		if err := printRefused(os.Args[2]); err != nil {
			panic(err)
		}
		return
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	seen := map[string]bool{}
	for _, in := range inputs() {
		if seen[in] {
			continue
		}
		seen[in] = true
		if err := encoder.Encode(ask(in)); err != nil {
			panic(err)
		}
	}
}

func ask(in string) row {
	r := row{In: in, V2JSON: v2JSON(in), V3JSON: v3JSON(in)}
	source := r.V3JSON
	if source.Err != "" {
		source = r.V2JSON
	}
	if source.Err == "" {
		a := protect(func() (string, error) {
			text, err := sigs.JSONToYAML([]byte(source.OK))
			return string(text), err
		})
		r.V2YAML = &a
	}
	normal, compact := v3Print(in, false), v3Print(in, true)
	if normal.Err == "" {
		r.V3YAML = &normal
		if compact != normal {
			r.Compact = &compact
		}
	}
	return r
}

func protect(f func() (string, error)) (a answer) {
	text, err := f()
	if err != nil {
		return answer{Err: err.Error()}
	}
	return answer{OK: text}
}

func v2JSON(in string) answer {
	return protect(func() (string, error) {
		text, err := sigs.YAMLToJSON([]byte(in))
		return string(text), err
	})
}

func v3JSON(in string) answer {
	return protect(func() (string, error) {
		var node yamlv3.Node
		if err := yamlv3.Unmarshal([]byte(in), &node); err != nil {
			return "", err
		}
		var value any
		if len(node.Content) > 0 && node.Content[0].Kind == yamlv3.MappingNode {
			m := map[string]any{}
			if err := yamlv3.Unmarshal([]byte(in), &m); err != nil {
				return "", err
			}
			value = m
		} else if err := yamlv3.Unmarshal([]byte(in), &value); err != nil {
			return "", err
		}
		text, err := json.Marshal(value)
		return string(text), err
	})
}

func v3Print(in string, compact bool) answer {
	return protect(func() (string, error) {
		var node yamlv3.Node
		if err := yamlv3.Unmarshal([]byte(in), &node); err != nil {
			return "", err
		}
		if node.Kind == 0 {
			return "", os.ErrInvalid
		}
		var buffer bytes.Buffer
		encoder := yamlv3.NewEncoder(&buffer)
		encoder.SetIndent(2)
		if compact {
			encoder.CompactSeqIndent()
		}
		if err := encoder.Encode(&node); err != nil {
			return "", err
		}
		_ = encoder.Close()
		return buffer.String(), nil
	})
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }
