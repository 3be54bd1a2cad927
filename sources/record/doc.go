// Package record keeps what was written down about a cluster, as files that
// people read too: Markdown beside JSON.
package record
