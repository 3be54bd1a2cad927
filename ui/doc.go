// Package ui is the frame that views live in: the root model, themes,
// layout and widgets. It knows what a view is, never which views there are;
// main hands them in.
package ui
