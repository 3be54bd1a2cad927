package views

import (
	"fmt"
	"strings"

	"daytwo/actions/forensics"
	"daytwo/sources"
	"daytwo/ui"
)

// evidence is all that was found, section by section.
func (v *forensicsView) evidence(f ui.Frame, width int) []section {
	w := v.verdict
	var out []section
	if len(w.Unknown) > 0 {
		out = append(out, section{"Not known", resultLines(f, w.Unknown, width)})
	}
	for _, a := range w.Accounts {
		out = append(out, section{
			"Where the bytes of " + a.Mount.On + " are", partLines(f, a, width),
		})
	}
	out = append(out,
		section{"Images", imageLines(f, w.Images, width)},
		section{"Big files", sizeLines(f, w.Big, width)},
		section{"k3s's log, " + count(w.LogRead, "line") + " read", logLines(f, w.Log, width)},
		section{"The cluster's own view", clusterLines(f, w, width)},
		section{"Inodes", inodeLines(f, w, width)},
		section{"k3s versions", bundleLines(f, w.Bundles, width)},
		section{"Airgap archives and datastore snapshots", archiveLines(f, w.Archives, width)},
	)
	if len(w.Partial) > 0 {
		out = append(out, section{"Not all of it was seen", resultLines(f, w.Partial, width)})
	}
	return out
}

func resultLines(f ui.Frame, all []forensics.Result, width int) []string {
	sh := sheet{titles: []string{"probe", "why"}}
	for _, r := range all {
		why := r.Err
		if why == "" {
			why = r.Note
		}
		sh.rows = append(sh.rows, []ui.Cell{plain(f, r.Title), judged(f, sources.Unknown, why)})
	}
	return sh.lines(f, width)
}

func partLines(f ui.Frame, a forensics.Account, width int) []string {
	var lines []string
	for i, s := range a.Shares {
		lines = append(lines, shareLine(f, a, i, width, 10))
		for _, p := range s.Parts {
			lines = append(lines, "    "+f.Theme.Dim.Render(ui.FitRight(bytesWord(p.Bytes), 9))+"  "+
				f.Theme.Text.Render(ui.Cut(ui.Clean(p.Path), max(width-15, 1))))
		}
	}
	return lines
}

func imageLines(f ui.Frame, all []forensics.ImageUse, width int) []string {
	sh := sheet{titles: []string{"on disk", "use", "image"}}
	for _, i := range all {
		use := judged(f, sources.OK, "in use")
		switch {
		case i.Pinned:
			use = plain(f, "pinned")
		case !i.InUse:
			use = judged(f, sources.Warning, "unused")
		}
		sh.rows = append(sh.rows, []ui.Cell{plain(f, bytesWord(i.Disk)), use, plain(f, ui.Clean(i.Name()))})
	}
	if len(sh.rows) == 0 {
		return []string{f.Theme.Unknown.Render("no image is known")}
	}
	return sh.lines(f, width)
}

func sizeLines(f ui.Frame, all []forensics.Size, width int) []string {
	lines := make([]string, 0, len(all))
	for _, s := range all {
		lines = append(lines, f.Theme.Strong.Render(ui.FitRight(bytesWord(s.Bytes), 9))+"  "+
			f.Theme.Text.Render(ui.Cut(ui.Clean(s.Path), max(width-11, 1))))
	}
	if len(lines) == 0 {
		return []string{f.Theme.Dim.Render("none of 16 MB or more")}
	}
	return lines
}

func logLines(f ui.Frame, all []forensics.LogLine, width int) []string {
	lines := make([]string, 0, len(all))
	for _, l := range all {
		lines = append(lines, f.Theme.Warning.Render(ui.Fit(l.Why, 20))+"  "+f.Theme.Text.Render(ui.Cut(ui.Clean(l.Text), max(width-22, 1))))
	}
	if len(lines) == 0 {
		return []string{f.Theme.Dim.Render("nothing about the disk")}
	}
	return lines
}

// clusterLines is what the API says beside it.
func clusterLines(f ui.Frame, w *forensics.Verdict, width int) []string {
	p := w.Picture
	limits := "not known"
	if c := p.Config; c.ImageGCHigh > 0 {
		limits = fmt.Sprintf("image GC at %.0f %% down to %.0f %%, logs %s × %d", c.ImageGCHigh, c.ImageGCLow, c.LogMaxSize, c.LogMaxFiles)
		for _, signal := range []string{"nodefs.available", "imagefs.available", "nodefs.inodesFree"} {
			if at, ok := c.EvictionHard[signal]; ok {
				limits += ", eviction at " + signal + " " + at
			}
		}
	}
	lines := pairs(f, width,
		pair{"kubelet", plain(f, percentWords(p.Kubelet))},
		pair{"images", plain(f, bytesWord(p.ImageUsed)+" by the kubelet, "+bytesWord(w.ImageFS)+" by the runtime")},
		pair{"journal", plain(f, bytesWord(w.Journal)+" by journalctl")},
		pair{"limits", plain(f, limits)},
	)
	for _, e := range p.Events {
		lines = append(lines, f.Theme.Warning.Render(ui.Cut(ui.Clean(e), width)))
	}
	sh := sheet{titles: []string{"ephemeral", "writable", "logs", "pod"}}
	for _, d := range w.Pods[:min(len(w.Pods), 12)] {
		sh.rows = append(sh.rows, []ui.Cell{
			strong(f, bytesWord(d.Ephemeral)), plain(f, bytesWord(d.Writable)), plain(f, bytesWord(d.Logs)), plain(f, d.Namespace+"/"+d.Pod),
		})
	}
	if len(sh.rows) > 0 {
		lines = append(lines, sh.lines(f, width)...)
	}
	return lines
}

func inodeLines(f ui.Frame, w *forensics.Verdict, width int) []string {
	var lines []string
	for _, m := range w.Inodes {
		lines = append(lines, f.Theme.Text.Render(ui.Cut(fmt.Sprintf("%s: %s of %d inodes", ui.Clean(m.On), sources.Percent(m.Percent()), m.Size), width)))
	}
	for _, s := range w.Folders[:min(len(w.Folders), 12)] {
		lines = append(lines, f.Theme.Strong.Render(ui.FitRight(fmt.Sprint(s.Bytes), 9))+"  "+f.Theme.Text.Render(ui.Cut(ui.Clean(s.Path), max(width-11, 1))))
	}
	return lines
}

func bundleLines(f ui.Frame, all []forensics.BundleSize, width int) []string {
	sh := sheet{titles: []string{"size", "use", "unpacked", "folder"}}
	for _, b := range all {
		use := b.Use
		if use == "" {
			use = "old"
		}
		sh.rows = append(sh.rows, []ui.Cell{plain(f, bytesWord(b.Bytes)), plain(f, use), plain(f, date(b.At)), dim(f, ui.Clean(b.Name))})
	}
	if len(sh.rows) == 0 {
		return nil
	}
	return sh.lines(f, width)
}

func archiveLines(f ui.Frame, all []forensics.File, width int) []string {
	lines := make([]string, 0, len(all))
	for _, a := range all {
		lines = append(lines, f.Theme.Text.Render(ui.Cut(strings.Join([]string{
			ui.FitRight(bytesWord(a.Bytes), 9), date(a.At), ui.Clean(a.Path),
		}, "  "), width)))
	}
	return lines
}
