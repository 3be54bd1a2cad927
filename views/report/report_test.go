package report_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/views/report"
)

func at() time.Time { return time.Date(2026, 11, 22, 15, 4, 31, 0, time.UTC) }

func snapshot() *sources.Snapshot {
	s := &sources.Snapshot{At: at()}
	s.Cluster = sources.Read(sources.Cluster{Name: "prod-fsn1", Version: "v1.33.4+k3s1"}, at())
	s.Nodes = sources.Reading[[]sources.Node]{Value: []sources.Node{{Name: "worker-0"}}, At: at(), Err: errors.New("api server refused the connection")}
	s.Certificates = sources.Reading[[]sources.Certificate]{Err: sources.ErrNotInstalled}
	s.Judged.Findings = []sources.Finding{
		{
			Rule: "disk.used", Severity: sources.Critical, About: sources.Ref{Kind: "Node", Name: "worker-0"}, Summary: "92 % used",
			Evidence: []sources.Fact{{Text: "276 GB of 300 GB", From: "kubelet stats/summary", At: at()}},
		},
		{Rule: "cert.expiry", Severity: sources.Warning, About: sources.Ref{Kind: "Certificate", Namespace: "shop", Name: "t|ls"}, Summary: "expires in 12 d"},
	}
	return s
}

func written(t *testing.T, f report.Format) string {
	t.Helper()
	var b strings.Builder
	if err := report.Write(&b, report.Of(snapshot()), f); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextSaysWorstFirstAndWhatWasNotRead(t *testing.T) {
	t.Parallel()
	out := written(t, report.Text)
	for _, want := range []string{
		"critical  disk  worker-0   92 % used\n",
		"unknown   not read: nodes: api server refused the connection\n",
		"unknown   not read: pods, workloads, disruption budgets and 8 more: no answer in time\n",
		"prod-fsn1 (v1.33.4+k3s1): critical: 1 critical, 1 warning, 0 unknown",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "certificates") {
		t.Errorf("an absent cert-manager is told as a failure:\n%s", out)
	}
}

func TestJSONIsStable(t *testing.T) {
	t.Parallel()
	var d map[string]any
	if err := json.Unmarshal([]byte(written(t, report.JSON)), &d); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"schema", "cluster", "server", "version", "at", "verdict", "counts", "findings", "unread"} {
		if _, ok := d[key]; !ok {
			t.Errorf("the document has no %q", key)
		}
	}
	if d["schema"] != report.Schema || d["verdict"] != "critical" {
		t.Errorf("schema %v, verdict %v", d["schema"], d["verdict"])
	}
}

// TestWhatWasNeverReadHasNoTime: the year 1 is no time of a reading.
func TestWhatWasNeverReadHasNoTime(t *testing.T) {
	t.Parallel()
	s := &sources.Snapshot{At: at()}
	s.Judged.Findings = []sources.Finding{{
		Rule: "source.api", Severity: sources.Critical,
		Evidence: []sources.Fact{{Text: "refused the connection", From: "API server"}},
	}}
	for _, f := range []report.Format{report.JSON, report.Markdown, report.Text} {
		var b strings.Builder
		if err := report.Write(&b, report.Of(s), f); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "0001-") || f == report.Markdown && !strings.Contains(b.String(), "(API server, never read)") {
			t.Errorf("%s:\n%s", f, b.String())
		}
	}
}

// TestNoEvidenceIsAnEmptyList in JSON, and the snapshot stays as it was.
func TestNoEvidenceIsAnEmptyList(t *testing.T) {
	t.Parallel()
	if out := written(t, report.JSON); strings.Contains(out, "null") || !strings.Contains(out, `"evidence": []`) {
		t.Errorf("null in\n%s", out)
	}
	s := snapshot()
	if report.Of(s); s.Judged.Findings[1].Evidence != nil {
		t.Error("the snapshot was changed")
	}
}

func TestMarkdownEscapesNames(t *testing.T) {
	t.Parallel()
	if out := written(t, report.Markdown); !strings.Contains(out, `shop/t\|ls`) || !strings.Contains(out, "- 276 GB of 300 GB (kubelet stats/summary, 2026-11-22T15:04:31Z)") {
		t.Error(out)
	}
}

func TestNothingReadIsNotOK(t *testing.T) {
	t.Parallel()
	if d := report.Of(&sources.Snapshot{At: at()}); d.Verdict != sources.Unknown {
		t.Errorf("verdict of an empty snapshot is %s", d.Verdict)
	}
}

func TestUnknownFormat(t *testing.T) {
	t.Parallel()
	if err := report.Write(&strings.Builder{}, report.Document{}, "yaml"); err == nil {
		t.Error("yaml was written")
	}
}
