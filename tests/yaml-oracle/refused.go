package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

// printRefused lists the YAML files below a folder that yaml.v3 refuses, with its messages.
func printRefused(folder string) error {
	refused := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name := entry.Name()
		if !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".yml") && name != "Kustomization" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		decoder := yamlv3.NewDecoder(bytes.NewReader(text))
		for {
			var node yamlv3.Node
			if err := decoder.Decode(&node); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				relative, _ := filepath.Rel(folder, path)
				refused[relative] = err.Error()
				return nil
			}
		}
	})
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(refused)
}
