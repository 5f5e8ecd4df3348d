// Package diag is how udl speaks of mistakes: spans into source texts, the table
// of error codes, findings with labels and help, their rendering with carets, and
// "did you mean". It imports nothing of udl.
package diag
