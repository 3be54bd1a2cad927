package demo

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"
)

// printer makes the cells of one kind's table rows.
type printer struct {
	columns []string // name; a leading "-" shows it only with -o wide
	cells   func(w *World, o object) []any
}

func includeOf(q *request) metav1.IncludeObjectPolicy {
	if p := q.URL.Query().Get("includeObject"); p != "" {
		return metav1.IncludeObjectPolicy(p)
	}
	return metav1.IncludeMetadata
}

// table is what kubectl get shows, computed on the server as the real one does.
func (w *World) table(k *kind, items []object, lm metav1.ListMeta, include metav1.IncludeObjectPolicy, columns bool) *metav1.Table {
	p := printerOf(k.gvk.GroupKind().String())
	t := &metav1.Table{ListMeta: lm, Rows: make([]metav1.TableRow, 0, len(items))}
	t.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("Table"))
	if columns {
		t.ColumnDefinitions = p.definitions()
	}
	for _, o := range items {
		row := metav1.TableRow{Cells: p.cells(w, o)}
		switch include {
		case metav1.IncludeObject:
			row.Object = runtime.RawExtension{Object: o}
		case metav1.IncludeMetadata:
			row.Object = runtime.RawExtension{Object: partial(o)}
		case metav1.IncludeNone:
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (p printer) definitions() []metav1.TableColumnDefinition {
	out := make([]metav1.TableColumnDefinition, 0, len(p.columns))
	for _, c := range p.columns {
		d := metav1.TableColumnDefinition{Name: strings.TrimPrefix(c, "-"), Type: "string"}
		if d.Name == "Name" {
			d.Format = "name"
		}
		if strings.HasPrefix(c, "-") {
			d.Priority = 1
		}
		out = append(out, d)
	}
	return out
}

func (w *World) age(t time.Time) string {
	if t.IsZero() {
		return "<unknown>"
	}
	return duration.HumanDuration(w.now().Sub(t))
}

func (w *World) ageOf(o object) string { return w.age(o.GetCreationTimestamp().Time) }

// plain is for kinds without columns of their own.
func plain() printer {
	return printer{[]string{"Name", "Age"}, func(w *World, o object) []any { return []any{o.GetName(), w.ageOf(o)} }}
}

// printers of custom resources read additionalPrinterColumns in the real
// server; here they are spelled out.
func customPrinter(kindName string) (printer, bool) {
	switch kindName {
	case "Certificate.cert-manager.io":
		return printer{[]string{"Name", "Ready", "Secret", "-Issuer", "-Status", "Age"}, func(w *World, o object) []any {
			c := conditionOf(o, "Ready")
			return []any{o.GetName(), c["status"], field(o, "spec", "secretName"), field(o, "spec", "issuerRef", "name"), c["message"], w.ageOf(o)}
		}}, true
	case "CertificateRequest.cert-manager.io":
		return printer{[]string{"Name", "Approved", "Denied", "Ready", "Issuer", "Requester", "-Status", "Age"}, func(w *World, o object) []any {
			c := conditionOf(o, "Ready")
			return []any{
				o.GetName(), conditionOf(o, "Approved")["status"], conditionOf(o, "Denied")["status"], c["status"],
				field(o, "spec", "issuerRef", "name"), field(o, "spec", "username"), c["message"], w.ageOf(o),
			}
		}}, true
	case "Order.acme.cert-manager.io", "Challenge.acme.cert-manager.io":
		return printer{[]string{"Name", "State", "-Reason", "Age"}, func(w *World, o object) []any {
			return []any{o.GetName(), field(o, "status", "state"), field(o, "status", "reason"), w.ageOf(o)}
		}}, true
	case "CustomResourceDefinition.apiextensions.k8s.io":
		return printer{[]string{"Name", "Created At"}, func(_ *World, o object) []any {
			return []any{o.GetName(), o.GetCreationTimestamp().UTC().Format(time.RFC3339)}
		}}, true
	}
	return printer{}, false
}

func field(o object, path ...string) string {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return ""
	}
	s, _, err := unstructured.NestedString(u.Object, path...)
	if err != nil {
		return ""
	}
	return s
}

// conditionOf reads one entry of status.conditions of a custom resource.
func conditionOf(o object, typ string) map[string]any {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return nil
	}
	list, _, err := unstructured.NestedSlice(u.Object, "status", "conditions")
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(list, func(c any) bool {
		m, ok := c.(map[string]any)
		return ok && m["type"] == typ
	})
	if i < 0 {
		return map[string]any{"status": ""}
	}
	m, _ := list[i].(map[string]any)
	return m
}
