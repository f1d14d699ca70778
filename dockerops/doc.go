// Package dockerops is everything pgrescue asks of a Docker Engine: finding
// the target, reading its logs, stopping what would write to it, and making
// the volumes, clones and isolated containers that work happens in. It knows
// nothing of PostgreSQL and imports nothing else of this module, so the
// Engine's client library is visible in this package alone.
//
// Rules kept throughout:
//
//   - Nothing is ever pulled. Images are local, or made from the running
//     binary (EnsureHelperImage).
//   - Every object made carries LabelIncident and LabelRole, so that Clean
//     finds it again even if the journal was lost.
//   - Environment variables often hold passwords. Only the names listed in
//     Client.KeepEnv leave this package.
//   - Every call is bounded in time, except streams that the caller ends by
//     its context. A daemon that went away is reported as ErrDaemonGone.
//
// The oldest Engine API used is 1.41 (Docker 20.10). It has no way to mount a
// sub-directory of a volume and no way to kill an exec; both shape this
// package (see OverlayClone and ExecStream).
package dockerops
