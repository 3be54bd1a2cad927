// Package rules draws findings from a snapshot. A rule is a pure function of
// what was read and of the time: it reads no clock, keeps no state, waits for
// nothing. Each family of rules has its own file; [All] lists every rule with
// its threshold and where that comes from.
//
// Three answers, never two: what was not read yet is unknown and no finding
// (loading is no problem); what could not be read is unknown and says why;
// only what was looked at can be ok. When the API server is gone the last
// picture is judged as it was, and one finding says how old it is.
package rules
