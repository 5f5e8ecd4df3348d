// Package models holds the gallery: .udl files, each with a header that says what it shows
// and where it comes from, and the test that runs every one of them.
package models
