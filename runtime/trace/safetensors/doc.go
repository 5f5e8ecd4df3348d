// Package safetensors reads and writes named arrays in the format of that name: a file is the length of a header as
// eight bytes, the header in JSON with type, shape and place of each array, and the numbers. It holds no code and
// reading it runs none, and other languages' libraries of machine learning read it.
//
// Numbers are written as 64-bit floats, to the bit, and read from floats and integers of any width. What is read is
// not trusted: a file that is damaged or made up gives an error, and no more memory is used than it is long.
//
// The format: https://github.com/huggingface/safetensors, README.
//
// The package knows bytes, not files, and imports nothing of udl.
package safetensors
