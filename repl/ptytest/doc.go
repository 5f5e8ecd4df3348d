// Package ptytest drives a program through a real pseudo-terminal, as a person at a keyboard
// would, for the tests of the prompt. It works on Linux; elsewhere its tests are left out. It imports nothing of udl.
package ptytest
