// Package agent is the hands of pgrescue: the jobs that run next to the data.
//
// The same binary runs as `pgrescue agent` inside a helper container that holds
// nothing else, or as a child process. One process does one job. The request is one
// JSON line on standard input; the answer is JSON lines on standard output:
//
//	{"progress":{...}}   how far the job is
//	{"record":{...}}     one streamed result, in the job's own shape
//	{"result":{...}}     the last line of a job that ended well
//	{"error":{...}}      the last line of one that did not: kind, message, hint, path
//
// A job that takes records as input reads them as {"record":{...}} lines after the
// request, closed by {"end":true}. The end of standard input means that the caller is
// gone: the job stops at once and leaves its destination so that it can be resumed.
//
// Sources are mounted read-only; everything is opened through os.Root and no symbolic
// link is followed. File names are bytes, not text (Path). Memory stays flat whatever
// the size of the cluster: trees are walked, not listed, and per file 32 bytes are
// kept for the check at the end.
//
// Jobs are listed in jobs.go. Each has its request, its result and a function that
// can be called in process.
package agent
