// Package box simulates the machine behind a node of the demo cluster: a disk
// in memory, a POSIX shell with the commands that the cockpit's wizards send,
// systemd units with their journal, the k3s binary, and an SSH server on
// loopback through which all of it is reached.
package box
