// Prints what Flux's normalization needs to know of the Go types behind the built-in kinds, and answers of those
// types to compare with:
//
//	normalize-table              the table, one struct a line (format: host/schema/src/normalize/mod.rs)
//	normalize-table answers      reads a JSON list of objects, prints each decoded into its Go type and encoded again
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/kubernetes/scheme"
)

// Types that read and write themselves: one letter each.
var special = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():    "q",
	reflect.TypeFor[metav1.Time]():          "t",
	reflect.TypeFor[metav1.MicroTime]():     "u",
	reflect.TypeFor[metav1.Duration]():      "d",
	reflect.TypeFor[intstr.IntOrString]():   "x",
	reflect.TypeFor[runtime.RawExtension](): "r",
	reflect.TypeFor[metav1.FieldsV1]():      "r",
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// table holds the struct lines, each once, in the order they were completed: parts before wholes.
type table struct {
	lines   []string
	known   map[string]int       // line -> id
	structs map[reflect.Type]int // type -> id
	open    map[reflect.Type]bool
}

func (t *table) shape(of reflect.Type) string {
	if letter, ok := special[of]; ok {
		return letter
	}
	if reflect.PointerTo(of).Implements(unmarshaler) {
		panic(fmt.Sprintf("%v reads itself and is not in the list", of))
	}
	switch of.Kind() {
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	case reflect.Int32:
		return "i"
	case reflect.Int64, reflect.Int:
		return "l"
	case reflect.Float64, reflect.Float32:
		return "f"
	case reflect.Pointer:
		return "*" + t.shape(of.Elem())
	case reflect.Slice:
		if of.Elem().Kind() == reflect.Uint8 {
			return "y"
		}
		return "[" + t.shape(of.Elem())
	case reflect.Map:
		if of.Key().Kind() != reflect.String {
			panic(fmt.Sprintf("%v: keys are not strings", of))
		}
		return "{" + t.shape(of.Elem())
	case reflect.Struct:
		return fmt.Sprintf("@%d", t.number(of))
	}
	panic(fmt.Sprintf("%v: unknown kind of type", of))
}

func (t *table) number(of reflect.Type) int {
	if id, ok := t.structs[of]; ok {
		return id
	}
	if t.open[of] {
		panic(fmt.Sprintf("%v contains itself", of))
	}
	t.open[of] = true
	line := strings.Join(t.fields(of), " ")
	id, ok := t.known[line]
	if !ok {
		id = len(t.lines)
		t.lines = append(t.lines, line)
		t.known[line] = id
	}
	t.structs[of] = id
	return id
}

func (t *table) fields(of reflect.Type) []string {
	var fields []string
	for i := 0; i < of.NumField(); i++ {
		field := of.Field(i)
		if !field.IsExported() {
			panic(fmt.Sprintf("%v.%s is not exported", of, field.Name))
		}
		parts := strings.Split(field.Tag.Get("json"), ",")
		name := parts[0]
		if name == "-" {
			continue
		}
		if name == "" && !field.Anonymous {
			panic(fmt.Sprintf("%v.%s has no JSON name", of, field.Name))
		}
		if name == "" {
			if field.Type.Kind() != reflect.Struct {
				panic(fmt.Sprintf("%v.%s: inline but no struct", of, field.Name))
			}
			fields = append(fields, t.fields(field.Type)...)
			continue
		}
		omit := ":"
		for _, option := range parts[1:] {
			switch option {
			case "omitempty":
				if omit == ":" {
					omit = "?"
				}
			case "omitzero":
				if field.Type != reflect.TypeFor[metav1.Time]() {
					panic(fmt.Sprintf("%v.%s: omitzero on %v", of, field.Name, field.Type))
				}
				omit = "!"
			}
		}
		fields = append(fields, name+omit+t.shape(field.Type))
	}
	return fields
}

func kinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for gvk, of := range scheme.Scheme.AllKnownTypes() {
		object, ok := reflect.New(of).Interface().(metav1.Object)
		if ok && object != nil && gvk.Version != runtime.APIVersionInternal {
			kinds = append(kinds, gvk)
		}
	}
	sort.Slice(kinds, func(i, j int) bool { return kinds[i].String() < kinds[j].String() })
	return kinds
}

func printTable(out io.Writer) {
	t := &table{known: map[string]int{}, structs: map[reflect.Type]int{}, open: map[reflect.Type]bool{}}
	var lines []string
	for _, gvk := range kinds() {
		id := t.number(scheme.Scheme.AllKnownTypes()[gvk])
		lines = append(lines, fmt.Sprintf("%d %s %s", id, gvk.GroupVersion(), gvk.Kind))
	}
	for _, line := range t.lines {
		fmt.Fprintln(out, strings.TrimSpace("- "+line))
	}
	for _, line := range lines {
		fmt.Fprintln(out, line)
	}
}

type answer struct {
	Object map[string]any `json:"object,omitempty"`
	Error  string         `json:"error,omitempty"`
}

func printAnswers(in io.Reader, out io.Writer) error {
	data, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	var objects []any
	if err := utiljson.Unmarshal(data, &objects); err != nil {
		return err
	}
	answers := []answer{}
	for _, object := range objects {
		answers = append(answers, normalize(object.(map[string]any)))
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(answers)
}

func normalize(object map[string]any) answer {
	gvk := (&unstructured.Unstructured{Object: object}).GroupVersionKind()
	typed, err := scheme.Scheme.New(gvk)
	if err != nil {
		return answer{Error: err.Error()}
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, typed); err != nil {
		return answer{Error: err.Error()}
	}
	again, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Object: again}
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	if len(os.Args) > 1 && os.Args[1] == "answers" {
		if err := printAnswers(os.Stdin, out); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	printTable(out)
}
