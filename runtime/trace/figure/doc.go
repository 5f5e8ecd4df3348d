// Package figure draws a trace.Plot into a file: SVG, PNG or PDF. It stands apart from
// package trace because the graphics library and its fonts weigh several megabytes, which a
// program that embeds udl should not have to link. It imports trace and gonum.org/v1/plot.
package figure
