// Package steps holds what playbooks are made of: one Go file and one text for the
// operator per step, the facts they exchange, and the Workspace that binds the engine's
// decisions to Docker and to the agent.
//
// A step sees a Place: the original, mounted read-only, or a clone. It cannot tell which.
// The only way to a writable Place of the original is Workspace.OriginalWriter, which
// wants the engine's permit.
package steps
