// Package history remembers what the cluster does not: samples of disk use,
// load and restarts, and versions, in one SQLite file per cluster.
//
// Minutes are kept for two days, hours for thirty, days for 400 (see Thin).
// Several cockpits may use one file at once. No trouble with the file is
// fatal: a damaged one is set aside, and where none can be written the
// history lives in memory and says so.
//
// The clock is the machine's and may jump. Samples are kept under the time
// they were read at, whatever it is. Load shows nothing later than now, so
// samples from a clock that ran ahead come to light when their time has come.
// Nothing is ever deleted for being in the future, and the number of days
// kept is counted, not reckoned from now: a clock that is wrong for an hour
// costs detail at most, not the past. Only restart counters, which end with
// their pods, are dropped by age.
package history
