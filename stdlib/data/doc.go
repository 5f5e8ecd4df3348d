// Package data reads tables of measurements: comma-separated values with a header, missing
// cells, texts, and perhaps a row of units. Every mistake in a file is a diagnostic with the
// file, line and column of the cell. It opens no file itself: a reader and a name come in.
// It imports lang/diag and nothing else of udl.
package data
