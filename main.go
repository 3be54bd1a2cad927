// Command daytwo is a terminal cockpit for the day-2 operations of small k3s
// clusters on Hetzner.
package main

func main() {}
