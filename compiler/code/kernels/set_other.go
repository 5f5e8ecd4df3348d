//go:build !amd64 && !arm64

package kernels

import "runtime"

// sets are those with assembly: none here. What follows is never called.
func sets() (s []Set, why string) { return nil, "no kernels for " + runtime.GOARCH }

func unary(level, function, *float64, *float64, int)                 {}
func pow(level, *float64, *float64, *float64, int)                   {}
func matVec(level, *float64, *float64, *float64, *float64, int, int) {}
func matTVec(level, *float64, *float64, *float64, int, int, int)     {}
func outerAdd(level, *float64, *float64, *float64, int, int)         {}
