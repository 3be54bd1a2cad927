// Package config reads daytwo's configuration file: strict YAML, in which an
// unknown key or a bad value is an error that names file, line, column and
// the nearest right key. Everything is optional; without a file all limits
// are those of the weekly checklist. Secrets are never in it.
package config
