// Package checkpoint keeps the state of a training on disk, so that it survives the end of the process, and goes on
// from there to the same bits as if nothing had happened.
//
// A checkpoint is a folder of package trace: state.json says where the training stands, and names the file in the
// format safetensors that holds all numbers, to the bit: the weights of the model at the best point, by their
// names, and beneath "state/" what the optimiser knows. The state also says what fit it belongs to, part by part.
//
// The package may import runtime/train and runtime/trace.
package checkpoint
