// Package bench measures b10lint. detector_test.go holds the detector's speed on
// several kinds of input; folder.sh, history.sh and staged.sh compare whole runs
// with other programs on the same machine in the same minute.
package bench
