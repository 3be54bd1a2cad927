// Package release asks where k3s is published: what the channels stand for,
// whether an exact tag exists, its checksum and its age. Nodes fetch the
// binary themselves; nothing of it passes through here.
package release
