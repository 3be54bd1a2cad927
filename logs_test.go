package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// logs opens those of an object of the shop.
func (u *upgrading) logs(kind, name string, shown ...string) {
	u.t.Helper()
	u.term.Keys(":" + kind + " shop/" + name)
	u.term.Wait("the object", shows("▌ "+kind, "shop/"+name))
	u.term.Keys("\r")
	u.term.Wait("the key on it", shows("l logs"))
	u.term.Keys("l")
	u.term.Wait("the logs", shows(append(shown, "live, follows")...))
}

// quiet lets containers of the shop write nothing by themselves any more: they
// have written enough.
func (u *upgrading) quiet(name string, pods ...string) {
	u.t.Helper()
	var lines []string
	for i := range 5000 {
		lines = append(lines, fmt.Sprintf("long ago %d", i))
	}
	for _, pod := range pods {
		if err := u.w.WriteLog("shop", pod, name, lines...); err != nil {
			u.t.Fatal(err)
		}
	}
}

// writes lets a container of the shop write numbered lines, with the last of
// which something comes on the screen.
func (u *upgrading) writes(pod, name string, from, to int) {
	u.t.Helper()
	var lines []string
	for i := from; i < to; i++ {
		lines = append(lines, fmt.Sprintf("order %06d", i))
	}
	if err := u.w.WriteLog("shop", pod, name, lines...); err != nil {
		u.t.Fatal(err)
	}
	u.term.Wait("the last line of "+pod, shows(lines[len(lines)-1]))
}

// kept is the file of the logs that were opened.
func (u *upgrading) kept() string {
	u.t.Helper()
	files, err := filepath.Glob(filepath.Join(u.s.folder("logs"), "*.log"))
	if err != nil || len(files) != 1 {
		u.t.Fatalf("files: %v %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		u.t.Fatal(err)
	}
	return string(text)
}

// TestLogsByKeys: with the documented role, the logs of a StatefulSet's pods
// together, over a connection that breaks, with a pod that is made anew under
// the same name; the file has each line once.
func TestLogsByKeys(t *testing.T) {
	u := upgradeWorldFor(t, "viewer", roles(t, "view.yaml")...)
	term := u.screen()
	u.quiet("redis", "redis-0", "redis-1", "redis-2")
	u.logs("statefulset", "redis", "shop/redis · 3 pods · last 200 lines", " | long ago", "600 lines")
	u.writes("redis-1", "redis", 0, 300)
	u.w.CutLogs()
	term.Wait("that it is read again", shows("1 | -- daytwo: ", "closed the connection; trying again, nothing is lost by that", "1 | -- daytwo: connected again"))
	u.writes("redis-1", "redis", 300, 600)
	term.Keys("/ORDER 000123\r")
	term.Wait("no hit in capitals", shows("not in the newest"))
	term.Keys("\x1b")
	term.Wait("the search's end", shows("esc back"))
	term.Keys("/der 000123\r")
	term.Wait("the hit", shows("1 | order 000123", "F follows"))
	term.Keys("\x1b")
	term.Wait("the search's end again", shows("esc back", "F follow"))
	term.Keys("F")
	term.Wait("the newest lines again", shows("live, follows"))
	err := admin(t, u.w).CoreV1().Pods("shop").Delete(t.Context(), "redis-0", metav1.DeleteOptions{GracePeriodSeconds: new(int64)})
	if err != nil {
		t.Fatal(err)
	}
	term.Wait("that the pod is gone", shows("0 | -- daytwo: the pod is gone"))
	term.Wait("the pod that is made anew", shows("0 | 20", "request served"))
	term.Keys("p")
	term.Wait("why not", shows("no container of shop/redis ran before"))
	term.Keys("s")
	term.Wait("the last minute", shows("3 pods · last 1 min", "request served"))
	term.Keys("\x1b")
	term.Wait("the object again", shows("l logs"))
	files, _ := filepath.Glob(filepath.Join(u.s.folder("logs"), "*.log"))
	slices.Sort(files)
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range 600 {
		if n := strings.Count(string(text), fmt.Sprintf("[pod/redis-1/redis] order %06d\n", i)); n != 1 {
			t.Fatalf("the file has line %d %d times", i, n)
		}
	}
}

// TestLogsOfAPodThatMayNotBeLookedUp go on, with what cannot be told said.
func TestLogsOfAPodThatMayNotBeLookedUp(t *testing.T) {
	rules := roles(t, "view.yaml")
	for i := range rules {
		if slices.Equal(rules[i].Verbs, []string{"get"}) && slices.Contains(rules[i].Resources, "pods/log") {
			rules[i] = rbac.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"pods/log"}}
		}
	}
	u := upgradeWorldFor(t, "viewer", rules...)
	term := u.screen()
	u.quiet("mysql", "mysql-0")
	u.logs("statefulset", "mysql", "shop/mysql · 1 pod")
	u.writes("mysql-0", "mysql", 0, 3)
	if err := u.w.RestartContainer("shop", "mysql-0", "mysql", 1); err != nil {
		t.Fatal(err)
	}
	term.Wait("what cannot be told", shows("no permission to get pods: it cannot be told whether this container ended or restarts"))
	u.writes("mysql-0", "mysql", 3, 6)
	if s := term.Screen(); strings.Contains(s, "gone") || !strings.Contains(s, "live") {
		t.Errorf("an end is made up:\n%s", s)
	}
	if text := u.kept(); strings.Count(text, "order 0000") != 6 {
		t.Errorf("the file has\n%s", text)
	}
}
