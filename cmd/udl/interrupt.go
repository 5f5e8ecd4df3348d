package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
)

// interrupts turns Ctrl-C into the end of what is being computed. The first one stops the verb
// that runs: a fit keeps its best so far, and the script goes on, to an exit code that is not 0. The next one, or one between verbs, ends
// everything.
type interrupts struct {
	w io.Writer
	// again is called at the next Ctrl-C, before everything is ended; nil for nothing.
	again func()

	mu    sync.Mutex
	stop  context.CancelFunc // of the verb that runs, nil between verbs
	count int
	ended bool // everything was ended by Ctrl-C
}

// verb is the context of one verb.
func (i *interrupts) verb(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	i.mu.Lock()
	outer := i.stop // a verb inside another's function is stopped alone
	i.stop = cancel
	i.mu.Unlock()
	return ctx, func() {
		i.mu.Lock()
		i.stop = outer
		i.mu.Unlock()
		cancel()
	}
}

// watch is the context of a whole run or of one entry at the prompt. The function it returns ends the watch.
func (i *interrupts) watch(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt)
	i.mu.Lock()
	i.count, i.ended, i.stop = 0, false, nil
	i.mu.Unlock()
	quit := make(chan struct{})
	go func() {
		for {
			select {
			case <-quit:
				return
			case <-ch:
				i.hit(cancel)
			}
		}
	}()
	return ctx, func() {
		signal.Stop(ch)
		close(quit)
		cancel()
	}
}

// hit is one Ctrl-C.
func (i *interrupts) hit(all context.CancelFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.count++
	if i.count == 1 && i.stop != nil {
		fmt.Fprintln(i.w, "\nstopping; Ctrl-C again ends at once")
		i.stop()
		return
	}
	if i.count > 1 && i.again != nil {
		i.again()
	}
	i.ended = true
	all()
}

// wasEnded says whether err is no more than everything having been ended by Ctrl-C.
func (i *interrupts) wasEnded(err error) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.ended && errors.Is(err, context.Canceled)
}
