// Package types is what a value of udl is besides its number: its shape and its unit.
package types
